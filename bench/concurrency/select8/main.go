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
	var c [8]chan int
	for i := range c {
		c[i] = make(chan int)
		go func(to chan int) {
			for n := 0; n < 100000; n++ {
				to <- n
			}
		}(c[i])
	}
	sum := 0
	for i := 0; i < 800000; i++ {
		select {
		case n := <-c[0]:
			sum += n
		case n := <-c[1]:
			sum += n
		case n := <-c[2]:
			sum += n
		case n := <-c[3]:
			sum += n
		case n := <-c[4]:
			sum += n
		case n := <-c[5]:
			sum += n
		case n := <-c[6]:
			sum += n
		case n := <-c[7]:
			sum += n
		}
	}
	fmt.Println(sum)
}
