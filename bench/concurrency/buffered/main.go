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
	numbers := make(chan int, 128)
	go func() {
		for n := 0; n < 5000000; n++ {
			numbers <- n
		}
		close(numbers)
	}()
	sum := 0
	for n := range numbers {
		sum += n
	}
	fmt.Println(sum)
}
