# A cache that forgets what was used longest ago: a map for finding, a doubly linked list for the order.
NOWHERE = -1

class Node
  property key : Int64
  property value : Int64
  property before = NOWHERE
  property after = NOWHERE

  def initialize(@key, @value)
  end
end

class LruCache
  getter places = {} of Int64 => Int32
  @nodes = [] of Node
  @newest = NOWHERE
  @oldest = NOWHERE

  def initialize(@capacity : Int32)
  end

  def get(key : Int64) : Int64?
    place = @places[key]?
    return nil unless place
    touch(place)
    @nodes[place].value
  end

  def put(key : Int64, value : Int64)
    if place = @places[key]?
      @nodes[place].value = value
      touch(place)
      return
    end
    place = @nodes.size
    if place < @capacity
      @nodes << Node.new(key, value)
    else
      place = @oldest
      unlink(place)
      node = @nodes[place]
      @places.delete(node.key)
      node.key = key
      node.value = value
    end
    @places[key] = place
    link(place)
  end

  # Makes a node the newest.
  def touch(place : Int32)
    return if place == @newest
    unlink(place)
    link(place)
  end

  def link(place : Int32)
    node = @nodes[place]
    node.before = NOWHERE
    node.after = @newest
    @nodes[@newest].before = place if @newest != NOWHERE
    @newest = place
    @oldest = place if @oldest == NOWHERE
  end

  def unlink(place : Int32)
    node = @nodes[place]
    if node.before == NOWHERE
      @newest = node.after
    else
      @nodes[node.before].after = node.after
    end
    if node.after == NOWHERE
      @oldest = node.before
    else
      @nodes[node.after].before = node.before
    end
  end
end

cache = LruCache.new(50_000)
hits = 0_i64
sum = 0_i64
seed = 9_u64
6_000_000_i64.times do |i|
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  # Small keys are asked for more often.
  a = (seed >> 40) % 400
  b = (seed >> 20) % 400
  key = (a * b).to_i64
  if value = cache.get(key)
    hits += 1
    sum = (sum + value) % 1_000_003
  else
    cache.put(key, i)
  end
end
puts "#{cache.places.size} #{hits} #{sum}"
