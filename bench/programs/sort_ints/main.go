// Two million integers are sorted by merging, written out.
package main

import "fmt"

func sort(v, work []int, from, to int) {
	if to-from < 2 {
		return
	}
	middle := (from + to) / 2
	sort(v, work, from, middle)
	sort(v, work, middle, to)
	a, b := from, middle
	for i := from; i < to; i++ {
		if a < middle && (b >= to || v[a] <= v[b]) {
			work[i] = v[a]
			a++
		} else {
			work[i] = v[b]
			b++
		}
	}
	for i := from; i < to; i++ {
		v[i] = work[i]
	}
}

func main() {
	n := 2_000_000
	v := []int{}
	var seed uint64 = 7
	for i := 0; i < n; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		v = append(v, int(seed>>34))
	}
	sort(v, make([]int, n), 0, n)
	check := 0
	for _, x := range v {
		check = (check*31 + x) % 1_000_003
	}
	fmt.Println(check)
}
