// A text of words is made, cut at its spaces and counted in a map.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

func textOf(words int) string {
	var out strings.Builder
	var seed uint64 = 42
	for i := 0; i < words; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		n := (seed >> 33) % 5000
		out.WriteString("w")
		out.WriteString(strconv.FormatUint(n*n/5000, 10))
		out.WriteString(" ")
	}
	return out.String()
}

func main() {
	rest := textOf(5_000_000)
	counts := map[string]int{}
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		if word != "" {
			counts[word]++
		}
	}
	most, top := "", 0
	for word, count := range counts {
		if count > top {
			most, top = word, count
		}
	}
	fmt.Printf("%d words, the most frequent is %s with %d\n", len(counts), most, top)
}
