-- Make decisions true that are still about what they were made on.
local node = redis.call('HGET', key('nodes'), question.token)
local is_alive = node and cjson.decode(node).state == 'alive'

-- The place at which a job was held when it was read. Nothing that is done to a job leaves it there, and nothing else has put it
-- there: as long as it is, the job is what was decided on.
local hold = tonumber(question.hold)

-- Of a group, one decision may be made on what another has left: the version goes up once, for all of them.
local taken = {}
local function may_take(decision)
  local group = decision.group
  if not group then return true end
  if taken[group] == nil then
    taken[group] = (redis.call('HGET', key('group_version'), group) or '0') == decision.group_version
  end
  return taken[group]
end

local function is_valid(decision)
  local id = decision.job_id
  if not is_alive or not may_take(decision) then return false end
  if counted('running', id) > decision.running then return false end
  if decision.queued_name then
    -- One that was removed and added again has the same version, but not the same time of creation.
    local version, created = unpack(redis.call('HMGET', job_key(id), 'version', 'created'))
    if created ~= decision.created or tonumber(version) ~= tonumber(decision.version) then return false end
    return redis.call('HEXISTS', key('queued'), decision.queued_name) == 1
  end
  if tonumber(redis.call('ZSCORE', due_key(decision.executor), id) or 0) ~= hold then return false end
  if counted('buffered_of', id) > decision.buffered_before then return false end
  return decision.move or counted('queued_of', id) <= decision.queued_before
end

local function move(decision)
  local id, to = decision.job_id, decision.move
  if not to then
    forget_job(id)
    return
  end
  redis.call('HSET', job_key(id), 'version', to.version, 'state', to.state, 'updated', question.updated)
  if to.tally then redis.call('HSET', job_key(id), 'tally', to.tally) end
  if to.due then
    redis.call('HSET', job_key(id), 'next_run_time', to.next_run_time)
    later('ZADD', due_key(decision.executor), to.due, id)
  else
    redis.call('HDEL', job_key(id), 'next_run_time')
    redis.call('ZREM', due_key(decision.executor), id)
  end
end

local function take(decision)
  local text = take_from_queue(decision.job_id, decision.queued_name)
  text = joined(text, question.claimed)
  text = joined(text, '{"instances":1' .. (decision.group and (',"group_name":' .. cjson.encode(decision.group)) or '') .. '}')
  activate(decision.job_id, decision.queued_name, question.token, text, 1, decision.group)
  return 0
end

-- Which attempts its runs are, each at its due time.
local function begin(decision)
  local attempts = {}
  move(decision)
  for _, run in ipairs(decision.submit) do
    local attempt = free_attempt(run)
    enter(run, attempt)
    local text = joined(run.record, question.claimed)
    activate(run.job_id, named(run, attempt), question.token, text, run.instances, decision.group)
    attempts[#attempts + 1] = attempt
  end
  for _, run in ipairs(decision.not_run) do
    local attempt = free_attempt(run)
    enter(run, attempt)
    put_history(named(run, attempt), run.scheduled, joined(run.record, question.claimed))
    attempts[#attempts + 1] = attempt
  end
  for _, run in ipairs(decision.buffer) do
    run.is_next = true
    attempts[#attempts + 1] = enqueue(run)
  end
  return attempts
end

local function ask_to_cancel(id)
  flush() -- runs that were taken just now are among them
  for _, token in ipairs(holders()) do
    for _, name in ipairs(redis.call('HKEYS', active_key(token))) do
      if string.sub(name, 1, #id + 1) == id .. '/' and redis.call('ZSCORE', runs_key(id), string.sub(name, #id + 2)) then
        redis.call('SADD', key('to_cancel:' .. token), name)
      end
    end
  end
end

-- Jobs of one executor, each of which has one run and nothing else, as most do; the attempts that they are, or `false`.
-- part.func: those of this function have had their last run, and are removed; otherwise part.versions, part.next_run_times and part.dues:
-- where they go on.
local function begin_plain(part)
  local ids, members, times = part.ids, part.members, part.times
  local due, ends = due_key(part.executor), part.func and true or false
  local at_place = ask_many('ZMSCORE', due, ids)
  local running, buffered, queued = read_counts('running', ids), read_counts('buffered_of', ids), read_counts('queued_of', ids)
  local text = joined('{"instances":1}', question.claimed)
  local attempts, begun, gone, keys, going_on = {}, {}, {}, {}, {}
  for at, id in ipairs(ids) do
    local runs = (running[id] or 0) + (buffered[id] or 0) + (ends and queued[id] or 0)
    if is_alive and runs == 0 and tonumber(at_place[at] or 0) == hold then
      local attempt, member = 1, members[at] .. '1'
      if redis.call('ZADD', runs_key(id), 'NX', times[at], member) == 0 then
        attempt = free_attempt({ job_id = id, scheduled = times[at], attempt = 1 })
        member = members[at] .. attempt
        redis.call('ZADD', runs_key(id), times[at], member)
      end
      attempts[at] = attempt
      set_count('running', id, 1)
      begun[#begun + 1] = id .. '/' .. member
      begun[#begun + 1] = text
      if ends then
        gone[#gone + 1] = id
        keys[#keys + 1] = job_key(id)
      else
        redis.call('HSET', job_key(id), 'version', part.versions[at], 'next_run_time', part.next_run_times[at], 'updated', question.updated)
        going_on[#going_on + 1] = part.dues[at]
        going_on[#going_on + 1] = id
      end
    else
      attempts[at] = false
    end
  end
  do_many('HSET', active_key(question.token), begun)
  do_many('ZADD', due, going_on)
  if #gone > 0 then
    do_many('ZREM', due, gone)
    do_many('SREM', key('func:' .. part.func), gone)
    do_many('SREM', key('ids'), gone)
    if has('prioritised') then do_many('ZREM', key('prioritised'), gone) end
    delete_many(keys)
  end
  return attempts
end

redis.call('SADD', key('holders'), question.token)
local attempts, plain_attempts = {}, {}
for at, decision in ipairs(question.decisions) do
  if not is_valid(decision) then
    attempts[at] = false
  else
    if decision.cancels then ask_to_cancel(decision.job_id) end
    if decision.queued_name then attempts[at] = take(decision) else attempts[at] = begin(decision) end
  end
end
for at, part in ipairs(question.plain) do plain_attempts[at] = begin_plain(part) end
for group, is_taken in pairs(taken) do
  if is_taken then
    redis.call('HINCRBY', key('group_version'), group, 1)
    local begun = question.begun[group]
    if begun then
      redis.call('DEL', key('begun:' .. group))
      for _, moment in ipairs(begun) do redis.call('RPUSH', key('begun:' .. group), moment) end
    end
  end
end
for _, run in ipairs(question.not_run) do
  local text = take_from_queue(run.job_id, run.name)
  if text then
    put_history(run.name, run.scheduled, joined(text, run.outcome))
    drop_if_ended(run.job_id)
  end
end
flush()
-- What was looked at, and goes on as it was, is due again when it was due, unless somebody has moved it meanwhile.
for _, held in ipairs(question.unhold) do
  if tonumber(redis.call('ZSCORE', due_key(held.executor), held.id) or 0) == hold then
    redis.call('ZADD', due_key(held.executor), held.due, held.id)
  end
end

-- When the first queued run is available of a job whose runs are not blocked.
local function next_queued()
  local blocked, from = {}, 0
  for _, id in ipairs(question.blocked) do blocked[id] = true end
  while true do
    local page = redis.call('ZRANGE', key('queue'), from, from + CHUNK - 1, 'WITHSCORES')
    for at = 1, #page, 2 do
      if not blocked[job_id_of(page[at])] then return page[at + 1] end
    end
    if #page < 2 * CHUNK or #question.blocked == 0 then return false end
    from = from + CHUNK
  end
end
return answer({ attempts = attempts, plain = plain_attempts, next = next_due(), queue = next_queued() })
