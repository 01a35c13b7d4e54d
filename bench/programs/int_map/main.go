// A map from integers: three million insertions and changes, then as many look-ups.
package main

import "fmt"

func main() {
	counts := map[int]int{}
	var seed uint64 = 1
	for i := 0; i < 3_000_000; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		counts[int((seed>>40)%500_000)]++
	}
	found := 0
	for key := 0; key < 3_000_000; key++ {
		found += counts[key%700_000]
	}
	fmt.Println(len(counts), found)
}
