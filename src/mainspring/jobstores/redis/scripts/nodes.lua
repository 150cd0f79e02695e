-- Nodes come, give a sign of life, are found dead, and go. Each answer has the server's clock.
local time = redis.call('TIME')
local micros = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
local function found(token)
  local text = redis.call('HGET', key('nodes'), token)
  return text and cjson.decode(text) or nil
end
if question.step == 'register' then
  local version = tonumber(redis.call('GET', key('schema')) or '0')
  if version > question.understood then return answer({ newer = version, time = micros }) end
  -- Not only counted up: a server that has lost its data must not give the numbers away again that nodes still have.
  local last = tonumber(redis.call('GET', key('token')) or '0')
  local token = string.format('%.0f', math.max(last + 1, math.floor(tonumber(micros) / 1000)))
  redis.call('SET', key('token'), token)
  redis.call('HSET', key('nodes'), token, cjson.encode(question.node))
  return answer({ token = token, time = micros })
end
local node = found(question.token)
local is_alive = node ~= nil and node.state == 'alive'
if question.step == 'renew' then
  -- One that has taken a later heartbeat, and doesn't know it any more, was set back.
  is_alive = is_alive and node.heartbeat >= question.since
  if is_alive then
    for name, value in pairs(question.node) do node[name] = value end
    redis.call('HSET', key('nodes'), question.token, cjson.encode(node))
  end
elseif question.step == 'bury' then
  is_alive = is_alive and node.heartbeat == question.heartbeat
  if is_alive then
    node.state = 'dead'
    redis.call('HSET', key('nodes'), question.token, cjson.encode(node))
  end
elseif question.step == 'leave' and is_alive then
  node.state, node.heartbeat = 'stopped', question.heartbeat
  redis.call('HSET', key('nodes'), question.token, cjson.encode(node))
end
return answer({ was_alive = is_alive, time = micros })
