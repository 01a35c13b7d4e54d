// The edit distance of two long rows of bytes.
package main

import "fmt"

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func distance(a, b []byte) int {
	before := []int{}
	for i := 0; i <= len(b); i++ {
		before = append(before, i)
	}
	for i := range a {
		diagonal := before[0]
		before[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			best := min(min(diagonal+cost, before[j]+1), before[j+1]+1)
			diagonal = before[j+1]
			before[j+1] = best
		}
	}
	return before[len(b)]
}

func bytesOf(n int, seed uint64) []byte {
	out := []byte{}
	for i := 0; i < n; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		out = append(out, byte(seed>>60))
	}
	return out
}

func main() {
	fmt.Println(distance(bytesOf(10_000, 1), bytesOf(9_000, 2)))
}
