# A text of words is made, cut at its spaces and counted in a map.
def text_of(words : Int32) : String
  seed = 42_u64
  String.build do |io|
    words.times do
      seed = seed &* 6364136223846793005 &+ 1442695040888963407
      n = (seed >> 33) % 5000
      io << "w" << n * n // 5000 << " "
    end
  end
end

counts = Hash(String, Int64).new(0_i64)
text_of(5_000_000).split(' ') do |word|
  counts.update(word) { |it| it + 1 } unless word.empty?
end
most = ""
top = 0_i64
counts.each do |word, count|
  if count > top
    top = count
    most = word
  end
end
puts "#{counts.size} words, the most frequent is #{most} with #{top}"
