# Elements at their own width, index checks, nested loops.
def primes_below(n : Int64) : Int64
  composite = Array.new(n, false)
  count = 0_i64
  i = 2_i64
  while i < n
    unless composite[i]
      count += 1
      k = i * i
      while k < n
        composite[k] = true
        k += i
      end
    end
    i += 1
  end
  count
end

total = 0_i64
5.times do |round|
  total += primes_below(10_000_000_i64 + round)
end
puts total
