# Many small objects, made and given back.
class Tree
  def initialize(@left : Tree?, @right : Tree?)
  end

  def check : Int64
    sum = 1_i64
    if left = @left
      sum += left.check
    end
    if right = @right
      sum += right.check
    end
    sum
  end
end

def make(depth : Int32) : Tree
  return Tree.new(nil, nil) if depth == 0
  Tree.new(make(depth - 1), make(depth - 1))
end

least = 4
most = 17
puts "stretch tree of depth #{most + 1} check: #{make(most + 1).check}"
long_lived = make(most)
least.step(to: most, by: 2) do |depth|
  turns = 1 << (most - depth + least)
  check = 0_i64
  turns.times { check += make(depth).check }
  puts "#{turns} trees of depth #{depth} check: #{check}"
end
puts "long lived tree of depth #{most} check: #{long_lived.check}"
