# Half a million strings are sorted by the library.
words = [] of String
seed = 3_u64
500_000.times do
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  words << String.build do |io|
    (4 + (seed >> 60)).times do
      seed = seed &* 6364136223846793005 &+ 1442695040888963407
      io << 'a' + ((seed >> 33) % 26).to_i
    end
  end
end
words.sort!
check = 0_i64
words.each do |word|
  check = (check * 31 + word.bytesize * 256 + word.byte_at(2)) % 1_000_003
end
puts "#{words[0]} #{words[words.size // 2]} #{words[-1]} #{check}"
