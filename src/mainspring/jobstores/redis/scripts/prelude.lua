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

local ENDING = 'ending'
local ANSWERS_KEPT = 600 -- seconds

if ARGV[2] ~= '' then
  local before = redis.call('GET', key('answer:' .. ARGV[1]))
  if before and string.sub(before, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
    return string.sub(before, #ARGV[2] + 2)
  end
end

-- Whether a key is there, asked once: few stores have priorities, queues or runs to be cancelled.
local known_keys = {}
local function has(name)
  if known_keys[name] == nil then known_keys[name] = redis.call('EXISTS', key(name)) == 1 end
  return known_keys[name]
end

-- A call of a command costs more than what it does, so what is alike for many jobs or runs is asked, and done, together.

-- How many arguments Lua passes at a time, and Redis likes to take; even, since some commands take pairs.
local CHUNK = 1000

local function do_many(command, name, arguments)
  for at = 1, #arguments, CHUNK do
    redis.call(command, name, unpack(arguments, at, math.min(at + CHUNK - 1, #arguments)))
  end
end

local function delete_many(keys)
  for at = 1, #keys, CHUNK do redis.call('DEL', unpack(keys, at, math.min(at + CHUNK - 1, #keys))) end
end

-- What a command answers about many members or fields of a key.
local function ask_many(command, name, members)
  if #members == 0 then return {} end
  if #members <= CHUNK then return redis.call(command, name, unpack(members)) end
  local found = {}
  for at = 1, #members, CHUNK do
    for _, one in ipairs(redis.call(command, name, unpack(members, at, math.min(at + CHUNK - 1, #members)))) do
      found[#found + 1] = one
    end
  end
  return found
end

-- Commands that are kept for `flush` to do together; nothing in a script may rest on their having been done before that.
local delayed = {}
local function later(command, name, first, second)
  delayed[command] = delayed[command] or {}
  local arguments = delayed[command][name]
  if not arguments then
    arguments = {}
    delayed[command][name] = arguments
  end
  arguments[#arguments + 1] = first
  arguments[#arguments + 1] = second
end

-- Counts by job, or by group: each is read once, and those that have changed are written by `flush`.
local counts, changed_counts = {}, {}
local function counts_of(name)
  counts[name] = counts[name] or {}
  return counts[name]
end

-- Read many counts at once; those that are known now, by id: the others are 0.
local function read_counts(name, ids)
  local known = counts_of(name)
  if has(name) then
    for at, found in ipairs(ask_many('HMGET', key(name), ids)) do
      if found and known[ids[at]] == nil then known[ids[at]] = tonumber(found) end
    end
  end
  return known
end

local function counted(name, id)
  local known = counts_of(name)
  if known[id] == nil then known[id] = has(name) and tonumber(redis.call('HGET', key(name), id) or 0) or 0 end
  return known[id]
end

local function set_count(name, id, number)
  counts[name][id] = number
  changed_counts[name] = changed_counts[name] or {}
  changed_counts[name][id] = number
end

local function count(name, id, by) set_count(name, id, math.max(counted(name, id) + by, 0)) end

-- As texts: to make one of a number takes Lua longer than to write it takes Redis.
local NUMBERS = { '1', '2', '3', '4', '5' }

local function flush()
  for command, names in pairs(delayed) do
    for name, arguments in pairs(names) do do_many(command, name, arguments) end
  end
  delayed = {}
  for name, ids in pairs(changed_counts) do
    local some, none = {}, {}
    for id, number in pairs(ids) do
      if number > 0 then
        some[#some + 1] = id
        some[#some + 1] = NUMBERS[number] or tostring(number)
      else
        none[#none + 1] = id
      end
    end
    do_many('HSET', key(name), some)
    do_many('HDEL', key(name), none)
  end
  changed_counts = {}
end

-- An empty list goes out as an empty object: cjson can't tell them apart.
local function answer(value)
  flush()
  local text = cjson.encode(value)
  if ARGV[2] ~= '' then
    redis.call('SET', key('answer:' .. ARGV[1]), ARGV[2] .. ' ' .. text, 'EX', ANSWERS_KEPT)
  end
  return text
end

-- Who has done what this script does, if somebody acts.
local function note()
  for _, text in ipairs(question.audit or {}) do
    local number = redis.call('INCR', key('audit_number'))
    redis.call('ZADD', key('audit'), number, string.format('%.0f', number) .. ' ' .. text)
  end
end

local function tell()
  if question.announce then redis.call('PUBLISH', key('changed'), question.announce) end
end

-- Two objects in JSON, neither of them empty, as one.
local function joined(first, second) return string.sub(first, 1, -2) .. ',' .. string.sub(second, 2) end

-- Jobs

-- Whether a job is there, at a version; what isn't a number counts as 0, so that it can be mended.
local function has_version(id, version)
  local known = redis.call('HGET', job_key(id), 'version')
  if not known and redis.call('EXISTS', job_key(id)) == 0 then return false end
  return (tonumber(known or '') or 0) == tonumber(version)
end

local function forget_job(id)
  local executor, func, follows = unpack(redis.call('HMGET', job_key(id), 'executor', 'func', 'follows'))
  if executor then redis.call('ZREM', due_key(executor), id) end
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
-- act: how it is entered where many jobs are, `redis.call` or `later`.
local function put_job(job, act)
  redis.call('HSET', job_key(job.id), unpack(job.fields))
  act('SADD', key('ids'), job.id)
  act('SADD', key('func:' .. job.func), job.id)
  if job.due then
    act('ZADD', due_key(job.executor), job.due, job.id)
    if known_keys['executor:' .. job.executor] == nil then
      redis.call('SADD', key('executors'), job.executor)
      known_keys['executor:' .. job.executor] = true
    end
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
  put_job(job, redis.call)
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

-- Runs. The name of a run is its identifier: its job's id, its due time and its attempt. `run.member` is what comes between the id, with
-- its slash, and the attempt. What is kept of it, in JSON, says none of this again.

local function is_known(run, attempt) return redis.call('ZSCORE', runs_key(run.job_id), run.member .. attempt) end

-- The attempt after all those at the run's due time; of that of which none is known, the one that the run says.
local function free_attempt(run)
  local attempt = run.attempt
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', runs_key(run.job_id), run.scheduled, run.scheduled)) do
    attempt = math.max(attempt, tonumber(string.match(member, '[^/]*$')) + 1)
  end
  return attempt
end

local function enter(run, attempt)
  redis.call('ZADD', runs_key(run.job_id), run.scheduled, run.member .. attempt)
end

local function named(run, attempt) return run.job_id .. '/' .. run.member .. attempt end

local function job_id_of(name) return string.match(name, '^(.*)/[^/]*/[^/]*$') end

local function put_history(name, scheduled, text)
  later('HSET', key('ended'), name, text)
  later('ZADD', key('history'), scheduled, name)
end

local function activate(job_id, name, token, text, instances, group)
  later('HSET', active_key(token), name, text)
  if instances > 0 then
    count('running', job_id, instances)
    if group then count('group_running', group, instances) end
  end
end

-- What a text says that is kept of a run that goes on: how it begins, and what counts for as long as it goes on. Most are alike.
local read_texts = {}
local function read_text(text)
  local said = read_texts[text]
  if not said then
    said = { opening = string.sub(text, 1, -2) .. ',', counts = string.find(text, '"instances":1', 1, true) }
    if string.find(text, '"group_name":"', 1, true) then said.group = cjson.decode(text).group_name end
    read_texts[text] = said
  end
  return said
end

-- A run of which `text` was kept goes on no more.
local function uncount(job_id, text)
  local said = read_text(text)
  if said.counts then
    count('running', job_id, -1)
    if said.group then count('group_running', said.group, -1) end
  end
end

-- The run `name`, of which `text` was kept, is no longer in the hands of `token`.
local function deactivate(job_id, name, token, text)
  redis.call('HDEL', active_key(token), name)
  uncount(job_id, text)
  if has('to_cancel:' .. token) then redis.call('SREM', key('to_cancel:' .. token), name) end
end

local function put_in_queue(job_id, name, text, available, cause)
  redis.call('ZADD', key('queue'), available, name)
  redis.call('HSET', key('queued'), name, text)
  count('queued_of', job_id, 1)
  if cause == 'buffered' then count('buffered_of', job_id, 1) end
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

-- What is kept of a run that goes on whose job has been removed: nothing follows from it for another job that has got the id since.
local DISOWNED = '"job_removed":1'
local function is_disowned(text) return string.find(text, DISOWNED, 1, true) ~= nil end

-- A job has been removed: what is queued of it ends so, and what goes on is marked.
local function disown(id, outcome)
  if counted('running', id) == 0 and counted('queued_of', id) == 0 then return end
  local members = redis.call('ZRANGE', runs_key(id), 0, -1, 'WITHSCORES')
  local names, times = {}, {}
  for at = 1, #members, 2 do
    names[#names + 1] = id .. '/' .. members[at]
    times[names[#names]] = members[at + 1]
  end
  for at, text in ipairs(ask_many('HMGET', key('queued'), names)) do
    if text then
      take_from_queue(id, names[at])
      put_history(names[at], string.format('%.0f', tonumber(times[names[at]])), joined(text, outcome))
    end
  end
  for _, token in ipairs(holders()) do
    for at, text in ipairs(ask_many('HMGET', active_key(token), names)) do
      if text and not is_disowned(text) then
        redis.call('HSET', active_key(token), names[at], joined(text, '{' .. DISOWNED .. '}'))
      end
    end
  end
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
  put_in_queue(run.job_id, named(run, attempt), run.record, run.available, run.cause)
  return attempt
end

-- Whether others have taken over a run that isn't in the hands of `token`. If it was pruned already, or written before, nobody has.
local function was_taken_over(name, token)
  local found = redis.call('HGET', key('ended'), name)
  if not found then
    if redis.call('HEXISTS', key('queued'), name) == 1 then return true end
    for _, holder in ipairs(holders()) do
      if redis.call('HEXISTS', active_key(holder), name) == 1 then return true end
    end
    return false
  end
  local known = cjson.decode(found)
  return tostring(known.token) ~= token or known.outcome == 'lost'
end

-- Write the outcomes of runs that were in the hands of a token.
-- part.ids, part.names, part.times, part.outcomes: of each run its job, its name, when it was due, and what became of it; part.says:
-- whether that says how far it was; part.from: the place of the first of them.
-- is_new, refused: get the places of those that are new, and of those that others have taken over.
-- disowned: gets the places of those whose job has been removed meanwhile.
local function finish_of(part, is_new, refused, disowned)
  local ids, names, times, outcomes = part.ids, part.names, part.times, part.outcomes
  local active = {}
  for at, text in ipairs(ask_many('HMGET', active_key(part.token), names)) do active[names[at]] = text end
  local said = has('progress') and ask_many('HMGET', key('progress'), names) or {}
  read_counts('running', ids)
  local done, texts, history = {}, {}, {}
  for at, name in ipairs(names) do
    local text = active[name]
    active[name] = nil -- nor is it there a second time
    if text then
      is_new[part.from + at - 1] = true
      if is_disowned(text) then disowned[part.from + at - 1] = true end
      uncount(ids[at], text)
      text = read_text(text).opening .. string.sub(outcomes[at], 2)
      if said[at] then
        later('HDEL', key('progress'), name)
        if not part.says[at] then text = joined(text, '{"progress":' .. cjson.encode(said[at]) .. '}') end
      end
      done[#done + 1] = name
      texts[#texts + 1] = name
      texts[#texts + 1] = text
      history[#history + 1] = times[at]
      history[#history + 1] = name
    elseif was_taken_over(name, part.token) then
      refused[#refused + 1] = part.from + at - 1
    end
  end
  do_many('HDEL', active_key(part.token), done)
  if has('to_cancel:' .. part.token) then do_many('SREM', key('to_cancel:' .. part.token), done) end
  do_many('HSET', key('ended'), texts)
  do_many('ZADD', key('history'), history)
end

-- Write outcomes, and what follows from them. Nothing is done, and nothing returned, if that was decided on what is no longer so.
-- part.ended: outcomes, by token; part.queue: runs that follow; part.jobs: jobs that have changed; part.followers: the version of who follows whom.
local function finish(part)
  if part.followers and (redis.call('GET', key('followers_version')) or '0') ~= part.followers then return nil end
  for _, job in ipairs(part.jobs) do
    if not has_version(job.id, job.expects) then return nil end
  end
  local refused, is_new, disowned = {}, {}, {}
  for _, of_token in ipairs(part.ended) do finish_of(of_token, is_new, refused, disowned) end
  for _, job in ipairs(part.jobs) do replace_job(job) end
  for _, run in ipairs(part.queue) do
    -- What follows from a run is another one of its job, or one of a job that comes after it.
    if is_new[run.of] then
      if not (disowned[run.of] and run.is_next) then
        enqueue(run)
      elseif part.skipped then
        local attempt = free_attempt(run)
        enter(run, attempt)
        put_history(named(run, attempt), run.scheduled, joined(run.record, part.skipped))
      end
    end
  end
  for _, id in ipairs(part.needed) do drop_if_ended(id) end
  return refused
end
