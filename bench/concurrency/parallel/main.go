package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	if len(os.Args) > 1 {
		n, _ := strconv.Atoi(os.Args[1])
		runtime.GOMAXPROCS(n)
	}
	results := make(chan int, 64)
	for i := 0; i < 64; i++ {
		go func() { results <- fib(30) }()
	}
	sum := 0
	for i := 0; i < 64; i++ {
		sum += <-results
	}
	fmt.Println(sum)
}
