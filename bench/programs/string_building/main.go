// Text is put together from pieces and numbers, then read byte by byte.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

func main() {
	total := 0
	for round := 0; round < 5; round++ {
		var out strings.Builder
		for i := 0; i < 1_000_000; i++ {
			out.WriteString("item ")
			out.WriteString(strconv.Itoa(i + round))
			if i%2 == 0 {
				out.WriteString(", even\n")
			} else {
				out.WriteString(", odd\n")
			}
		}
		text := out.String()
		sum := 0
		for i := 0; i < len(text); i++ {
			sum = (sum*31 + int(text[i])) % 1_000_003
		}
		total += sum + len(text)
	}
	fmt.Println(total)
}
