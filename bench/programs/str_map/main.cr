# A map from strings: two million changes of 200,000 keys, then as many look-ups.
def keys_of(n : Int32, word : String)
  Array.new(n) { |i| "#{word}#{i}" }
end

def advance(seed : UInt64)
  seed &* 6364136223846793005 &+ 1442695040888963407
end

known = keys_of(200_000, "known key ")
unknown = keys_of(50_000, "unknown key ")
counts = Hash(String, Int64).new(0_i64)
seed = 1_u64
2_000_000.times do
  seed = advance(seed)
  counts.update(known[(seed >> 40) % 200_000]) { |it| it + 1 }
end
found = 0_i64
2_000_000.times do |i|
  seed = advance(seed)
  at = (seed >> 40) % 250_000
  key = at < 200_000 ? known[at] : unknown[at - 200_000]
  found += counts[key] * (i % 7)
end
puts "#{counts.size} #{found}"
