// In how many ways thirteen queens stand on a board without seeing each other.
package main

import "fmt"

func place(row, n int, columns, rising, falling []bool) int {
	if row == n {
		return 1
	}
	ways := 0
	for c := 0; c < n; c++ {
		if !(columns[c] || rising[row+c] || falling[row-c+n]) {
			columns[c] = true
			rising[row+c] = true
			falling[row-c+n] = true
			ways += place(row+1, n, columns, rising, falling)
			columns[c] = false
			rising[row+c] = false
			falling[row-c+n] = false
		}
	}
	return ways
}

func main() {
	n := 13
	fmt.Println(place(0, n, make([]bool, n), make([]bool, n*2), make([]bool, n*2)))
}
