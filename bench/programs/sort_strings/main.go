// Half a million strings are sorted by the library.
package main

import (
	"fmt"
	"sort"
	"strings"
)

func main() {
	words := []string{}
	var seed uint64 = 3
	for i := 0; i < 500_000; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		var word strings.Builder
		for left := 4 + seed>>60; left > 0; left-- {
			seed = seed*6364136223846793005 + 1442695040888963407
			word.WriteByte('a' + byte((seed>>33)%26))
		}
		words = append(words, word.String())
	}
	sort.Strings(words)
	check := 0
	for _, word := range words {
		check = (check*31 + len(word)*256 + int(word[2])) % 1_000_003
	}
	fmt.Println(words[0], words[len(words)/2], words[len(words)-1], check)
}
