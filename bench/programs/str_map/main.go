// A map from strings: two million changes of 200,000 keys, then as many look-ups.
package main

import (
	"fmt"
	"strconv"
)

func keysOf(n int, word string) []string {
	keys := []string{}
	for i := 0; i < n; i++ {
		keys = append(keys, word+strconv.Itoa(i))
	}
	return keys
}

func advance(seed uint64) uint64 { return seed*6364136223846793005 + 1442695040888963407 }

func main() {
	known, unknown := keysOf(200_000, "known key "), keysOf(50_000, "unknown key ")
	counts := map[string]int{}
	var seed uint64 = 1
	for i := 0; i < 2_000_000; i++ {
		seed = advance(seed)
		counts[known[(seed>>40)%200_000]]++
	}
	found := 0
	for i := 0; i < 2_000_000; i++ {
		seed = advance(seed)
		at := (seed >> 40) % 250_000
		var key string
		if at < 200_000 {
			key = known[at]
		} else {
			key = unknown[at-200_000]
		}
		found += counts[key] * (i % 7)
	}
	fmt.Println(len(counts), found)
}
