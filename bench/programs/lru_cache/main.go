// A cache that forgets what was used longest ago: a map for finding, a doubly linked list for the order.
package main

import "fmt"

const nowhere = -1

type Node struct {
	key, value, before, after int
}

type LruCache struct {
	capacity       int
	nodes          []Node
	places         map[int]int
	newest, oldest int
}

func newCache(capacity int) *LruCache {
	return &LruCache{capacity: capacity, places: map[int]int{}, newest: nowhere, oldest: nowhere}
}

func (cache *LruCache) get(key int) (int, bool) {
	place, found := cache.places[key]
	if !found {
		return 0, false
	}
	cache.touch(place)
	return cache.nodes[place].value, true
}

func (cache *LruCache) put(key, value int) {
	if place, found := cache.places[key]; found {
		cache.nodes[place].value = value
		cache.touch(place)
		return
	}
	place := len(cache.nodes)
	if place < cache.capacity {
		cache.nodes = append(cache.nodes, Node{key, value, nowhere, nowhere})
	} else {
		place = cache.oldest
		cache.unlink(place)
		node := &cache.nodes[place]
		delete(cache.places, node.key)
		node.key = key
		node.value = value
	}
	cache.places[key] = place
	cache.link(place)
}

// Makes a node the newest.
func (cache *LruCache) touch(place int) {
	if place != cache.newest {
		cache.unlink(place)
		cache.link(place)
	}
}

func (cache *LruCache) link(place int) {
	node := &cache.nodes[place]
	node.before = nowhere
	node.after = cache.newest
	if cache.newest != nowhere {
		cache.nodes[cache.newest].before = place
	}
	cache.newest = place
	if cache.oldest == nowhere {
		cache.oldest = place
	}
}

func (cache *LruCache) unlink(place int) {
	node := &cache.nodes[place]
	if node.before == nowhere {
		cache.newest = node.after
	} else {
		cache.nodes[node.before].after = node.after
	}
	if node.after == nowhere {
		cache.oldest = node.before
	} else {
		cache.nodes[node.after].before = node.before
	}
}

func main() {
	cache := newCache(50_000)
	hits, sum := 0, 0
	var seed uint64 = 9
	for i := 0; i < 6_000_000; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		// Small keys are asked for more often.
		a, b := (seed>>40)%400, (seed>>20)%400
		key := int(a * b)
		if value, found := cache.get(key); found {
			hits++
			sum = (sum + value) % 1_000_003
		} else {
			cache.put(key, i)
		}
	}
	fmt.Println(len(cache.places), hits, sum)
}
