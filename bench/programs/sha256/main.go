// SHA-256 of thirty-two megabytes.
package main

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

var constants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

func turn(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }

// Takes in 64 bytes.
func block(state *[8]uint32, data []byte) {
	var w [64]uint32
	for i := 0; i < 16; i++ {
		w[i] = binary.BigEndian.Uint32(data[i*4:])
	}
	for i := 16; i < 64; i++ {
		s0 := turn(w[i-15], 7) ^ turn(w[i-15], 18) ^ w[i-15]>>3
		s1 := turn(w[i-2], 17) ^ turn(w[i-2], 19) ^ w[i-2]>>10
		w[i] = w[i-16] + s0 + w[i-7] + s1
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	e, f, g, h := state[4], state[5], state[6], state[7]
	for i := 0; i < 64; i++ {
		s1 := turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
		t1 := h + s1 + (e&f ^ ^e&g) + constants[i] + w[i]
		s0 := turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
		t2 := s0 + (a&b ^ a&c ^ b&c)
		h, g, f, e, d, c, b, a = g, f, e, d+t1, c, b, a, t1+t2
	}
	for i, x := range [8]uint32{a, b, c, d, e, f, g, h} {
		state[i] += x
	}
}

func sha256(data []byte) string {
	state := [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
	whole := len(data) / 64 * 64
	for at := 0; at < whole; at += 64 {
		block(&state, data[at:at+64])
	}
	rest := append([]byte{}, data[whole:]...)
	rest = append(rest, 0x80)
	for len(rest)%64 != 56 {
		rest = append(rest, 0)
	}
	rest = binary.BigEndian.AppendUint64(rest, uint64(len(data))*8)
	for at := 0; at < len(rest); at += 64 {
		block(&state, rest[at:at+64])
	}
	out := ""
	for _, x := range state {
		out += fmt.Sprintf("%08x", x)
	}
	return out
}

func main() {
	data := []byte{}
	var seed uint64 = 1
	for i := 0; i < 32_000_000; i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		data = append(data, byte(seed>>56))
	}
	fmt.Println(sha256(data))
}
