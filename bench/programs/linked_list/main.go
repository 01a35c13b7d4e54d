// A linked list: made, turned around, summed, thinned out and given back.
package main

import "fmt"

type Node struct {
	value int
	next  *Node
}

type List struct {
	head *Node
}

func (list *List) push(value int) { list.head = &Node{value, list.head} }

func (list *List) reverse() {
	var done *Node
	for rest := list.head; rest != nil; {
		node := rest
		rest = node.next
		node.next = done
		done = node
	}
	list.head = done
}

// Takes out what a number divides.
func (list *List) removeMultiples(of int) {
	for at := &list.head; *at != nil; {
		if (*at).value%of == 0 {
			*at = (*at).next
		} else {
			at = &(*at).next
		}
	}
}

func (list *List) sum() int {
	total := 0
	for node := list.head; node != nil; node = node.next {
		total += node.value
	}
	return total
}

func main() {
	total := 0
	list := &List{}
	for i := 0; i < 1_000_000; i++ {
		list.push(i)
	}
	for i := 0; i < 25; i++ {
		list.reverse()
		total += list.sum()
	}
	list.removeMultiples(3)
	total += list.sum()
	list.removeMultiples(5)
	total += list.sum()
	fmt.Println(total)
}
