package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

func main() {
	if len(os.Args) > 1 {
		n, _ := strconv.Atoi(os.Args[1])
		runtime.GOMAXPROCS(n)
	}
	sum := 0
	for n := 0; n < 1000000; n++ {
		done := make(chan int, 1)
		go func(n int) { done <- n & 1 }(n)
		sum += <-done
	}
	fmt.Println(sum)
}
