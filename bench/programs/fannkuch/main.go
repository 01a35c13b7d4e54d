// Pancakes flipped in every order of the first ten numbers: the Benchmarks Game's fannkuch.
package main

import "fmt"

func flips(order, work []int) int {
	copy(work, order)
	count := 0
	for work[0] != 0 {
		for low, high := 0, work[0]; low < high; low, high = low+1, high-1 {
			work[low], work[high] = work[high], work[low]
		}
		count++
	}
	return count
}

func main() {
	n := 10
	order, work, turns := make([]int, n), make([]int, n), make([]int, n)
	for i := range order {
		order[i] = i
	}
	most, checksum, even, r := 0, 0, true, n
	for {
		for ; r != 1; r-- {
			turns[r-1] = r
		}
		count := flips(order, work)
		if count > most {
			most = count
		}
		if even {
			checksum += count
		} else {
			checksum -= count
		}
		even = !even
		for {
			if r == n {
				fmt.Println(checksum, most)
				return
			}
			first := order[0]
			for i := 0; i < r; i++ {
				order[i] = order[i+1]
			}
			order[r] = first
			turns[r]--
			if turns[r] > 0 {
				break
			}
			r++
		}
	}
}
