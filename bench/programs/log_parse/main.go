// A server's log is taken apart line by line, without regular expressions, and summed up.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

type Usage struct {
	requests, bytes, failures, slowest int
}

type Entry struct {
	path                        string
	hour, status, bytes, micros int
}

// `2026-03-14T12:34:56 host-7 GET /items/31?page=2 200 5321 812us`
func parse(line string) (entry Entry, ok bool) {
	fields := strings.Split(line, " ")
	if len(fields) != 7 || len(fields[0]) < 13 || !strings.HasSuffix(fields[6], "us") {
		return entry, false
	}
	entry.path, _, _ = strings.Cut(fields[3], "?")
	var errors [4]error
	entry.hour, errors[0] = strconv.Atoi(fields[0][11:13])
	entry.status, errors[1] = strconv.Atoi(fields[4])
	entry.bytes, errors[2] = strconv.Atoi(fields[5])
	entry.micros, errors[3] = strconv.Atoi(strings.TrimSuffix(fields[6], "us"))
	return entry, errors == [4]error{}
}

func example(lines int) string {
	var out strings.Builder
	var seed uint64 = 11
	for i := 0; i < lines; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		x := int(seed >> 33)
		if x%100 == 7 {
			out.WriteString("# rotated\n")
			continue
		}
		status := 200
		if x%17 == 0 {
			status = 500
		} else if x%5 == 0 {
			status = 404
		}
		out.WriteString("2026-03-14T")
		if i*24/lines < 10 {
			out.WriteString("0")
		}
		out.WriteString(strconv.Itoa(i * 24 / lines))
		out.WriteString(":34:56 host-")
		out.WriteString(strconv.Itoa(x % 8))
		out.WriteString(" GET /items/")
		out.WriteString(strconv.Itoa(x % 1000))
		if x%3 == 0 {
			out.WriteString("?page=")
			out.WriteString(strconv.Itoa(x % 9))
		}
		out.WriteString(" ")
		out.WriteString(strconv.Itoa(status))
		out.WriteString(" ")
		out.WriteString(strconv.Itoa(x % 10_000))
		out.WriteString(" ")
		out.WriteString(strconv.Itoa(x % 2_000_000 / 7))
		out.WriteString("us\n")
	}
	return out.String()
}

func main() {
	rest, more := example(1_000_000), true
	usage := map[string]*Usage{}
	perHour := [24]int{}
	skipped := 0
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		entry, ok := parse(line)
		if !ok {
			skipped++
			continue
		}
		perHour[entry.hour]++
		known := usage[entry.path]
		if known == nil {
			known = &Usage{}
			usage[entry.path] = known
		}
		known.requests++
		known.bytes += entry.bytes
		if entry.status >= 400 {
			known.failures++
		}
		if entry.micros > known.slowest {
			known.slowest = entry.micros
		}
	}
	worst, failures, bytes := "", 0, 0
	for path, it := range usage {
		bytes += it.bytes
		if it.failures > failures || (it.failures == failures && path < worst) {
			worst, failures = path, it.failures
		}
	}
	fmt.Printf("%d paths, %d bytes, %d lines skipped, %d in the last hour\n", len(usage), bytes, skipped, perHour[23])
	it := usage[worst]
	fmt.Printf("%s: %d of %d failed, the slowest took %d us\n", worst, it.failures, it.requests, it.slowest)
}
