// Elements at their own width, nested loops.
package main

import "fmt"

func primesBelow(n int) int {
	composite := make([]bool, n)
	count := 0
	for i := 2; i < n; i++ {
		if composite[i] {
			continue
		}
		count++
		for k := i * i; k < n; k += i {
			composite[k] = true
		}
	}
	return count
}

func main() {
	total := 0
	for round := 0; round < 5; round++ {
		total += primesBelow(10_000_000 + round)
	}
	fmt.Println(total)
}
