# SHA-256 of thirty-two megabytes.
CONSTANTS = UInt32.static_array(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
)

class Sha256
  @state : StaticArray(UInt32, 8) = UInt32.static_array(
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
  )

  def turn(x : UInt32, n : Int32) : UInt32
    x.rotate_right(n)
  end

  # Takes in the 64 bytes from `at` on.
  def block(data : Array(UInt8), at : Int32)
    w = uninitialized UInt32[64]
    16.times do |i|
      p = at + i * 4
      w[i] = (data[p].to_u32 << 24) | (data[p + 1].to_u32 << 16) | (data[p + 2].to_u32 << 8) | data[p + 3].to_u32
    end
    (16...64).each do |i|
      s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3)
      s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10)
      w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
    end
    a, b, c, d = @state[0], @state[1], @state[2], @state[3]
    e, f, g, h = @state[4], @state[5], @state[6], @state[7]
    64.times do |i|
      s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
      t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ CONSTANTS[i] &+ w[i]
      s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
      t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = d &+ t1
      d = c
      c = b
      b = a
      a = t1 &+ t2
    end
    {a, b, c, d, e, f, g, h}.each_with_index { |x, i| @state[i] &+= x }
  end

  def to_hex : String
    @state.join { |it| it.to_s(16).rjust(8, '0') }
  end
end

def sha256(data : Array(UInt8)) : String
  sha = Sha256.new
  whole = data.size // 64 * 64
  at = 0
  while at < whole
    sha.block(data, at)
    at += 64
  end
  rest = data[whole..]
  rest << 0x80_u8
  while rest.size % 64 != 56
    rest << 0_u8
  end
  bits = data.size.to_i64 * 8
  8.times { |i| rest << (bits >> (56 - 8 * i)).to_u8! }
  at = 0
  while at < rest.size
    sha.block(rest, at)
    at += 64
  end
  sha.to_hex
end

data = [] of UInt8
seed = 1_u64
32_000_000.times do
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  data << (seed >> 56).to_u8!
end
puts sha256(data)
