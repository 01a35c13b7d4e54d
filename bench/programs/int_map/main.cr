# A map from integers: three million insertions and changes, then as many look-ups.
counts = Hash(Int64, Int64).new(0_i64)
seed = 1_u64
3_000_000.times do
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  counts.update(((seed >> 40) % 500_000).to_i64) { |it| it + 1 }
end
found = 0_i64
3_000_000_i64.times do |key|
  found += counts[key % 700_000]
end
puts "#{counts.size} #{found}"
