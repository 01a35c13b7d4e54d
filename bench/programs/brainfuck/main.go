// An interpreter of eight instructions on a tape of bytes, at work on nested loops that count, multiply and print.
package main

import (
	"fmt"
	"strings"
)

type Kind int

const (
	Move Kind = iota
	Add
	Print
	Open
	Close
)

type Op struct {
	kind Kind
	n    int // by how much, or where the matching bracket stands
}

// Runs of `+`, `-`, `<` and `>` become one instruction each.
func parse(source string) []Op {
	ops := []Op{}
	opened := []int{}
	for _, c := range source {
		switch c {
		case '>':
			ops = pushRun(ops, Move, 1)
		case '<':
			ops = pushRun(ops, Move, -1)
		case '+':
			ops = pushRun(ops, Add, 1)
		case '-':
			ops = pushRun(ops, Add, -1)
		case '.':
			ops = append(ops, Op{Print, 0})
		case '[':
			opened = append(opened, len(ops))
			ops = append(ops, Op{Open, 0})
		case ']':
			start := opened[len(opened)-1]
			opened = opened[:len(opened)-1]
			ops[start].n = len(ops)
			ops = append(ops, Op{Close, start})
		}
	}
	return ops
}

func pushRun(ops []Op, kind Kind, by int) []Op {
	if len(ops) > 0 && ops[len(ops)-1].kind == kind {
		ops[len(ops)-1].n += by
		return ops
	}
	return append(ops, Op{kind, by})
}

// What a program prints.
func run(ops []Op) string {
	tape := make([]byte, 30_000)
	var out strings.Builder
	head := 0
	for at := 0; at < len(ops); at++ {
		op := ops[at]
		switch op.kind {
		case Move:
			head += op.n
		case Add:
			tape[head] += byte(op.n)
		case Print:
			out.WriteByte(tape[head])
		case Open:
			if tape[head] == 0 {
				at = op.n
			}
		case Close:
			if tape[head] != 0 {
				at = op.n
			}
		}
	}
	return out.String()
}

// The letters from the last to the first, each of which waits for loops in loops.
const program = ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++++++++++++++++++++++[-]<-]<-]<-]<-]<-]<-]++++++++++."

func main() {
	fmt.Print(run(parse(program)))
}
