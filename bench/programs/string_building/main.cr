# Text is put together from pieces and numbers, then read byte by byte.
total = 0_i64
5.times do |round|
  text = String.build do |io|
    1_000_000.times do |i|
      io << "item "
      io << i + round
      io << (i % 2 == 0 ? ", even\n" : ", odd\n")
    end
  end
  sum = 0_i64
  text.each_byte { |byte| sum = (sum * 31 + byte) % 1_000_003 }
  total += sum + text.bytesize
end
puts total
