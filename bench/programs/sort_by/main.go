// A million points are sorted by a closure: nearest to a place first, of equally near ones the first made.
package main

import (
	"fmt"
	"sort"
)

type Point struct {
	x, y, id int
}

func (p *Point) distance(x, y int) int { return (p.x-x)*(p.x-x) + (p.y-y)*(p.y-y) }

func sortFrom(points []Point, x, y int) {
	sort.Slice(points, func(i, j int) bool {
		a, b := &points[i], &points[j]
		da, db := a.distance(x, y), b.distance(x, y)
		if da == db {
			return a.id < b.id
		}
		return da < db
	})
}

func main() {
	points := []Point{}
	var seed uint64 = 5
	for id := 0; id < 1_000_000; id++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		points = append(points, Point{int((seed >> 33) % 1000), int((seed >> 48) % 1000), id})
	}
	for round := 0; round < 2; round++ {
		sortFrom(points, 500-round*300, 200+round*100)
		check := 0
		for _, point := range points {
			check = (check*31 + point.id) % 1_000_003
		}
		fmt.Println(check)
	}
}
