// Many small objects, made and given back.
package main

import "fmt"

type Tree struct {
	left, right *Tree
}

func (tree *Tree) check() int {
	sum := 1
	if tree.left != nil {
		sum += tree.left.check()
	}
	if tree.right != nil {
		sum += tree.right.check()
	}
	return sum
}

func makeTree(depth int) *Tree {
	if depth == 0 {
		return &Tree{}
	}
	return &Tree{makeTree(depth - 1), makeTree(depth - 1)}
}

func main() {
	least, most := 4, 17
	fmt.Printf("stretch tree of depth %d check: %d\n", most+1, makeTree(most+1).check())
	longLived := makeTree(most)
	for depth := least; depth <= most; depth += 2 {
		turns := 1 << (most - depth + least)
		check := 0
		for i := 0; i < turns; i++ {
			check += makeTree(depth).check()
		}
		fmt.Printf("%d trees of depth %d check: %d\n", turns, depth, check)
	}
	fmt.Printf("long lived tree of depth %d check: %d\n", most, longLived.check())
}
