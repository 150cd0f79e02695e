-- What all scripts begin with: names of keys, answers that are remembered, and jobs and runs as they go in and out.
--
-- KEYS[1]  what all keys begin with; it has the hash tag, so that all of them are in one slot of a cluster.
-- ARGV[1]  who asks: a connection of one thread. Its last answer is remembered under this name.
-- ARGV[2]  the number of the question; asked again when an answer was lost, it is answered as before, and nothing is done.
-- ARGV[3]  the question, as JSON. Times are whole microseconds, as text: Lua's numbers would be printed shortened.
local base = KEYS[1]
local question = cjson.decode(ARGV[3])

local function key(name) return base .. ':' .. name end
local function job_key(id) return base .. ':job:' .. id end
local function due_key(executor) return base .. ':' .. question.run_times .. ':' .. executor end
local function runs_key(id) return base .. ':runs:' .. id end
local function active_key(token) return base .. ':active:' .. token end

-- Whether a job is there, at a version; what isn't a number counts as 0, so that it can be mended.
local function has_version(id, version)
  local known = redis.call('HGET', job_key(id), 'version')
  if not known and redis.call('EXISTS', job_key(id)) == 0 then return false end
  return (tonumber(known or '') or 0) == tonumber(version)
end

local ENDING = 'ending'
local ANSWERS_KEPT = 600 -- seconds

if ARGV[2] ~= '' then
  local before = redis.call('GET', key('answer:' .. ARGV[1]))
  if before and string.sub(before, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
    return string.sub(before, #ARGV[2] + 2)
  end
end

-- An empty list goes out as an empty object: cjson can't tell them apart.
local function answer(value)
  local text = cjson.encode(value)
  if ARGV[2] ~= '' then
    redis.call('SET', key('answer:' .. ARGV[1]), ARGV[2] .. ' ' .. text, 'EX', ANSWERS_KEPT)
  end
  return text
end

local function tell()
  if question.announce then redis.call('PUBLISH', key('changed'), question.announce) end
end

local function count(name, id, by)
  if redis.call('HINCRBY', key(name), id, by) <= 0 then redis.call('HDEL', key(name), id) end
end

-- Whether a key is there, asked once: few stores have priorities, queues or runs to be cancelled.
local known_keys = {}
local function has(name)
  if known_keys[name] == nil then known_keys[name] = redis.call('EXISTS', key(name)) == 1 end
  return known_keys[name]
end

-- Commands that are the same for many jobs or runs are done together, at the end: `later` keeps them, `flush` does them.
local delayed = {}
local function later(command, name, ...)
  local id = command .. ' ' .. name
  local arguments = delayed[id]
  if not arguments then
    arguments = { command = command, name = name }
    delayed[id] = arguments
  end
  for _, argument in ipairs({ ... }) do arguments[#arguments + 1] = argument end
end

local function flush()
  for _, arguments in pairs(delayed) do
    for at = 1, #arguments, 1000 do
      redis.call(arguments.command, arguments.name, unpack(arguments, at, math.min(at + 999, #arguments)))
    end
  end
  delayed = {}
end

local function counted(name, id) return tonumber(redis.call('HGET', key(name), id) or '0') end

-- Two objects in JSON, neither of them empty, as one.
local function joined(first, second) return string.sub(first, 1, -2) .. ',' .. string.sub(second, 2) end

-- Jobs

local function forget_job(id)
  local executor, func, follows = unpack(redis.call('HMGET', job_key(id), 'executor', 'func', 'follows'))
  if executor then
    redis.call('ZREM', due_key(executor), id)
  end
  if func then redis.call('SREM', key('func:' .. func), id) end
  if follows then
    redis.call('SREM', key('followers:' .. follows), id)
    redis.call('INCR', key('followers_version'))
  end
  redis.call('DEL', job_key(id))
  redis.call('SREM', key('ids'), id)
  if has('prioritised') then redis.call('ZREM', key('prioritised'), id) end
end

-- job.fields: names and values in turn; job.due: its next run time, or nothing.
local function put_job(job)
  local fields = job.fields
  redis.call('HSET', job_key(job.id), unpack(fields))
  redis.call('SADD', key('ids'), job.id)
  redis.call('SADD', key('func:' .. job.func), job.id)
  if job.due then
    redis.call('ZADD', due_key(job.executor), job.due, job.id)
    redis.call('SADD', key('executors'), job.executor)
  end
  if job.priority ~= 0 then
    redis.call('ZADD', key('prioritised'), job.priority, job.id)
    known_keys.prioritised = true
  end
  if job.follows then
    redis.call('SADD', key('followers:' .. job.follows), job.id)
    redis.call('INCR', key('followers_version'))
  end
end

-- Put a job in the place of the one that is there, if one is: it was created when that was.
local function replace_job(job)
  local created = redis.call('HGET', job_key(job.id), 'created')
  forget_job(job.id)
  put_job(job)
  if created then redis.call('HSET', job_key(job.id), 'created', created) end
end

local function drop_if_ended(id)
  if redis.call('HGET', job_key(id), 'state') ~= ENDING then return end
  if counted('running', id) == 0 and counted('queued_of', id) == 0 then forget_job(id) end
end

-- The tokens in whose hands runs may be.
local function holders()
  local found = {}
  for _, token in ipairs(redis.call('SMEMBERS', key('holders'))) do
    if redis.call('EXISTS', active_key(token)) == 1 then found[#found + 1] = token end
  end
  return found
end

-- Runs. `run.name` is the identifier of a run but for its attempt, `run.member` the same within its job.

local function is_known(run, attempt) return redis.call('ZSCORE', runs_key(run.job_id), run.member .. attempt) end

local function free_attempt(run)
  local attempt = run.attempt
  while is_known(run, attempt) do attempt = attempt + 1 end
  return attempt
end

local function enter(run, attempt)
  redis.call('ZADD', runs_key(run.job_id), run.scheduled, run.member .. attempt)
end

local function record(run, attempt) return joined(run.record, '{"attempt":' .. attempt .. '}') end

local function put_history(name, scheduled, text)
  later('HSET', key('ended'), name, text)
  later('ZADD', key('history'), scheduled, name)
end

local function activate(job_id, name, token, text, instances, group)
  later('HSET', active_key(token), name, text)
  if instances > 0 then
    count('running', job_id, instances)
    known_keys.running = true
    if group then count('group_running', group, instances) end
  end
end

-- The run `name` is no longer in the hands of `token`; what was kept of it, or nothing.
local function deactivate(job_id, name, token)
  local text = redis.call('HGET', active_key(token), name)
  if not text then return nil end
  redis.call('HDEL', active_key(token), name)
  if string.find(text, '"instances":1', 1, true) then
    count('running', job_id, -1)
    if string.find(text, '"group_name":"', 1, true) then
      count('group_running', cjson.decode(text).group_name, -1)
    end
  end
  if has('to_cancel:' .. token) then redis.call('SREM', key('to_cancel:' .. token), name) end
  return text
end

local function put_in_queue(job_id, name, text, available, cause)
  redis.call('ZADD', key('queue'), available, name)
  redis.call('HSET', key('queued'), name, text)
  count('queued_of', job_id, 1)
  if cause == 'buffered' then count('buffered_of', job_id, 1) end
  known_keys.queued_of, known_keys.buffered_of = nil, nil
end

-- What was kept of a queued run that is not to wait any more, or nothing.
local function take_from_queue(job_id, name)
  local text = redis.call('HGET', key('queued'), name)
  if not text then return nil end
  redis.call('HDEL', key('queued'), name)
  redis.call('ZREM', key('queue'), name)
  count('queued_of', job_id, -1)
  if string.find(text, '"cause":"buffered"', 1, true) then count('buffered_of', job_id, -1) end
  return text
end

-- Queue a run that isn't known; its attempt, or nothing. With `run.is_next` another attempt is made of one that is known.
local function enqueue(run)
  local attempt = run.attempt
  if run.is_next then
    attempt = free_attempt(run)
  elseif is_known(run, attempt) then
    return nil
  end
  enter(run, attempt)
  put_in_queue(run.job_id, run.name .. attempt, record(run, attempt), run.available, run.cause)
  return attempt
end

-- Write outcomes, and what follows from them. Nothing is done, and nothing returned, if that was decided on what is no longer so.
-- part.ended: outcomes; part.queue: runs that follow; part.jobs: jobs that have changed; part.followers: the version of who follows whom.
local function finish(part)
  if part.followers and (redis.call('GET', key('followers_version')) or '0') ~= part.followers then return nil end
  for _, job in ipairs(part.jobs) do
    if not has_version(job.id, job.expects) then return nil end
  end
  local refused, is_new = {}, {}
  for at, one in ipairs(part.ended) do
    local text = deactivate(one.job_id, one.name, one.token)
    if text then
      is_new[at - 1] = true
      text = joined(text, one.outcome)
      if has('progress') then
        local said = redis.call('HGET', key('progress'), one.name)
        if said then
          redis.call('HDEL', key('progress'), one.name)
          if not one.says then text = joined(text, '{"progress":' .. cjson.encode(said) .. '}') end
        end
      end
      put_history(one.name, one.scheduled, text)
    else
      -- Pruned already, or written before: then nobody took the run over.
      local found = redis.call('HGET', key('ended'), one.name)
      if found then
        local known = cjson.decode(found)
        if tostring(known.token) ~= one.token or known.outcome == 'lost' then refused[#refused + 1] = at - 1 end
      elseif redis.call('HEXISTS', key('queued'), one.name) == 1 then
        refused[#refused + 1] = at - 1
      end
    end
  end
  for _, job in ipairs(part.jobs) do replace_job(job) end
  for _, run in ipairs(part.queue) do
    if is_new[run.of] then enqueue(run) end
  end
  for _, id in ipairs(part.needed) do drop_if_ended(id) end
  flush()
  return refused
end
