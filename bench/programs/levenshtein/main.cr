# The edit distance of two long rows of bytes.
def distance(a : Array(UInt8), b : Array(UInt8)) : Int64
  before = Array.new(b.size + 1) { |i| i.to_i64 }
  a.size.times do |i|
    diagonal = before[0]
    before[0] = i.to_i64 + 1
    b.size.times do |j|
      cost = a[i] == b[j] ? 0 : 1
      best = Math.min(Math.min(diagonal + cost, before[j] + 1), before[j + 1] + 1)
      diagonal = before[j + 1]
      before[j + 1] = best
    end
  end
  before[b.size]
end

def bytes_of(n : Int32, seed : UInt64) : Array(UInt8)
  bytes = [] of UInt8
  n.times do
    seed = seed &* 6364136223846793005 &+ 1442695040888963407
    bytes << (seed >> 60).to_u8!
  end
  bytes
end

puts distance(bytes_of(10_000, 1), bytes_of(9_000, 2))
