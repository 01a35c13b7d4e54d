// JSON is parsed into a tree, summed up and printed again.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

type Json interface {
	// Of all numbers, and the sizes of all texts.
	sum() int
	write(out *strings.Builder)
}

type Null struct{}
type Bool bool
type Number int
type Text string
type Array []Json
type Object []Member

type Member struct {
	key   string
	value Json
}

func (Null) sum() int { return 0 }

func (b Bool) sum() int {
	if b {
		return 1
	}
	return 0
}

func (n Number) sum() int { return int(n) }

func (s Text) sum() int { return len(s) }

func (items Array) sum() int {
	total := 0
	for _, item := range items {
		total += item.sum()
	}
	return total
}

func (members Object) sum() int {
	total := 0
	for _, member := range members {
		total += len(member.key) + member.value.sum()
	}
	return total
}

type Parser struct {
	text string
	at   int
}

// The byte at hand; 0 behind the end.
func (p *Parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *Parser) skipSpace() {
	for c := p.peek(); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = p.peek() {
		p.at++
	}
}

func (p *Parser) fail(what string) error {
	return fmt.Errorf("%s expected at byte %d", what, p.at)
}

// A sign that must stand here, behind space.
func (p *Parser) expect(c byte) error {
	p.skipSpace()
	if p.peek() != c {
		return p.fail("`" + string(c) + "`")
	}
	p.at++
	return nil
}

func (p *Parser) word(word string, value Json) (Json, error) {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return nil, p.fail(word)
	}
	p.at += len(word)
	return value, nil
}

func (p *Parser) value() (Json, error) {
	p.skipSpace()
	switch p.peek() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		text, err := p.str()
		return Text(text), err
	case 't':
		return p.word("true", Bool(true))
	case 'f':
		return p.word("false", Bool(false))
	case 'n':
		return p.word("null", Null{})
	}
	return p.number()
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (p *Parser) number() (Json, error) {
	negative := p.peek() == '-'
	if negative {
		p.at++
	}
	if !digit(p.peek()) {
		return nil, p.fail("a value")
	}
	n := 0
	for ; digit(p.peek()); p.at++ {
		n = n*10 + int(p.peek()-'0')
	}
	if negative {
		n = -n
	}
	return Number(n), nil
}

func (p *Parser) str() (string, error) {
	if err := p.expect('"'); err != nil {
		return "", err
	}
	var out strings.Builder
	for {
		start := p.at
		for p.peek() != '"' && p.peek() != '\\' && p.peek() != 0 {
			p.at++
		}
		out.WriteString(p.text[start:p.at])
		if p.peek() == '"' {
			break
		}
		if p.peek() == 0 {
			return "", p.fail("`\"`")
		}
		p.at++
		if p.peek() == 'n' {
			out.WriteByte('\n')
		} else {
			out.WriteByte(p.peek())
		}
		p.at++
	}
	p.at++
	return out.String(), nil
}

func (p *Parser) array() (Json, error) {
	if err := p.expect('['); err != nil {
		return nil, err
	}
	items := Array{}
	p.skipSpace()
	if p.peek() != ']' {
		for ; ; p.at++ {
			item, err := p.value()
			if err != nil {
				return nil, err
			}
			items = append(items, item)
			p.skipSpace()
			if p.peek() != ',' {
				break
			}
		}
	}
	return items, p.expect(']')
}

func (p *Parser) member() (member Member, err error) {
	p.skipSpace()
	if member.key, err = p.str(); err != nil {
		return member, err
	}
	if err = p.expect(':'); err != nil {
		return member, err
	}
	member.value, err = p.value()
	return member, err
}

func (p *Parser) object() (Json, error) {
	if err := p.expect('{'); err != nil {
		return nil, err
	}
	members := Object{}
	p.skipSpace()
	if p.peek() != '}' {
		for ; ; p.at++ {
			member, err := p.member()
			if err != nil {
				return nil, err
			}
			members = append(members, member)
			p.skipSpace()
			if p.peek() != ',' {
				break
			}
		}
	}
	return members, p.expect('}')
}

func writeString(out *strings.Builder, text string) {
	out.WriteByte('"')
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			out.WriteString("\\\"")
		case '\\':
			out.WriteString("\\\\")
		case '\n':
			out.WriteString("\\n")
		default:
			out.WriteByte(text[i])
		}
	}
	out.WriteByte('"')
}

func (Null) write(out *strings.Builder) { out.WriteString("null") }

func (b Bool) write(out *strings.Builder) { out.WriteString(strconv.FormatBool(bool(b))) }

func (n Number) write(out *strings.Builder) { out.WriteString(strconv.Itoa(int(n))) }

func (s Text) write(out *strings.Builder) { writeString(out, string(s)) }

func (items Array) write(out *strings.Builder) {
	out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		item.write(out)
	}
	out.WriteByte(']')
}

func (members Object) write(out *strings.Builder) {
	out.WriteByte('{')
	for i, member := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, member.key)
		out.WriteByte(':')
		member.value.write(out)
	}
	out.WriteByte('}')
}

func example(n int) string {
	var out strings.Builder
	out.WriteString("[\n")
	for i := 0; i < n; i++ {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, "  {\"id\": %d, \"name\": \"thing \\\"%d\\\"\", \"tags\": [\"red\", \"a\\\\b\", \"line\\n\"],"+
			" \"size\": {\"width\": %d, \"height\": %d}, \"done\": %t, \"note\": null}", i, i%97, i%13, -i, i%2 == 0)
	}
	out.WriteString("\n]")
	return out.String()
}

func main() {
	text := example(60_000)
	total := 0
	for i := 0; i < 4; i++ {
		value, err := (&Parser{text: text}).value()
		if err != nil {
			fmt.Println(err)
			continue
		}
		var out strings.Builder
		value.write(&out)
		total += value.sum() + out.Len()
	}
	fmt.Println(total)
	if _, err := (&Parser{text: text[:len(text)-20]}).value(); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println("that should not be JSON")
	}
}
