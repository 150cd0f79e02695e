-- The nodes that are alive, who has runs, the queue, what is to be cancelled, and what time it is; and when the next job is due, if it is asked for.
local known = redis.call('HGETALL', key('nodes'))
local nodes = {}
for at = 1, #known, 2 do nodes[#nodes + 1] = { known[at], known[at + 1] } end
local time = redis.call('TIME')
local queue = redis.call('ZRANGE', key('queue'), 0, 0, 'WITHSCORES')
local to_cancel = question.token and redis.call('SMEMBERS', key('to_cancel:' .. question.token)) or {}
return answer({
  time = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2])),
  nodes = nodes,
  holders = holders(),
  queue = queue[2] or false,
  to_cancel = to_cancel,
  next = question.executors and next_due() or false,
})
