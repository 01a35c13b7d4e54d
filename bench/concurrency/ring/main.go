package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

func pass(from, to chan int) {
	for n := range from {
		to <- n + 1
	}
	close(to)
}

func main() {
	if len(os.Args) > 1 {
		n, _ := strconv.Atoi(os.Args[1])
		runtime.GOMAXPROCS(n)
	}
	first := make(chan int)
	last := first
	for i := 0; i < 999; i++ {
		to := make(chan int)
		go pass(last, to)
		last = to
	}
	n := 0
	for i := 0; i < 1000; i++ {
		first <- n
		n = <-last + 1
	}
	close(first)
	<-last
	fmt.Println(n)
}
