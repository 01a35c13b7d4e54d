# A linked list: made, turned around, summed, thinned out and given back.
class Node
  property value : Int64
  property next : Node?

  def initialize(@value, @next)
  end
end

class List
  @head : Node?

  def push(value : Int64)
    @head = Node.new(value, @head)
  end

  def reverse
    done = nil
    rest = @head
    while node = rest
      rest = node.next
      node.next = done
      done = node
    end
    @head = done
  end

  # Takes out what a number divides.
  def remove_multiples(of : Int64)
    while (first = @head) && first.value % of == 0
      @head = first.next
    end
    at = @head
    while node = at
      after = node.next
      if after && after.value % of == 0
        node.next = after.next
      else
        at = after
      end
    end
  end

  def sum : Int64
    total = 0_i64
    at = @head
    while node = at
      total += node.value
      at = node.next
    end
    total
  end
end

total = 0_i64
list = List.new
1_000_000.times { |i| list.push(i.to_i64) }
25.times do
  list.reverse
  total += list.sum
end
list.remove_multiples(3)
total += list.sum
list.remove_multiples(5)
total += list.sum
puts total
