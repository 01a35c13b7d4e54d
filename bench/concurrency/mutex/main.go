package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func main() {
	if len(os.Args) > 1 {
		n, _ := strconv.Atoi(os.Args[1])
		runtime.GOMAXPROCS(n)
	}
	var lock sync.Mutex
	var all sync.WaitGroup
	total := 0
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 0; n < 100000; n++ {
				lock.Lock()
				total++
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	fmt.Println(total)
}
