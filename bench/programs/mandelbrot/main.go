// How many points of a grid stay near zero for 100 steps.
package main

import "fmt"

func stays(cr, ci float64) bool {
	zr, zi := 0.0, 0.0
	for step := 0; step < 100; step++ {
		r, i := zr*zr, zi*zi
		if r+i > 4.0 {
			return false
		}
		zi = 2.0*zr*zi + ci
		zr = r - i + cr
	}
	return true
}

func main() {
	n := 1600
	inside := 0
	for y := 0; y < n; y++ {
		for x := 0; x < n; x++ {
			if stays(3.0*float64(x)/float64(n)-2.0, 2.0*float64(y)/float64(n)-1.0) {
				inside++
			}
		}
	}
	fmt.Println(inside)
}
