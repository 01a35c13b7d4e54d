// Two matrices of floats are multiplied, row by row.
package main

import "fmt"

func matrix(n int, seed float64) [][]float64 {
	rows := [][]float64{}
	for i := 0; i < n; i++ {
		row := []float64{}
		for j := 0; j < n; j++ {
			row = append(row, seed*float64(i-j)*float64(i+j))
		}
		rows = append(rows, row)
	}
	return rows
}

func multiply(a, b [][]float64) [][]float64 {
	n := len(a)
	out := [][]float64{}
	for i := range a {
		row := make([]float64, n)
		for k := 0; k < n; k++ {
			x := a[i][k]
			for j, y := range b[k] {
				row[j] += x * y
			}
		}
		out = append(out, row)
	}
	return out
}

func main() {
	n := 900
	c := multiply(matrix(n, 1.0/float64(n)), matrix(n, 2.0/float64(n)))
	fmt.Printf("%.6f\n", c[n/2][n/2])
}
