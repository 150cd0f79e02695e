-- Undo claims, each with the job as it was before; what can't be undone waits to be claimed again, if it may.
local undone = {}
for at, claim in ipairs(question.claims) do
  local id = claim.job_id
  local is_ours = redis.call('HEXISTS', active_key(claim.token), id .. '/' .. claim.members[1]) == 1
  local restores = not claim.was_queued
  if is_ours and restores then
    local is_there = redis.call('EXISTS', job_key(id)) == 1
    if claim.expects then restores = has_version(id, claim.expects) else restores = not is_there end
    if restores then replace_job(claim.job) end
  end
  undone[at] = (restores or claim.was_queued) and true or false
  if is_ours and (restores or claim.may_wait) then
    for _, member in ipairs(claim.members) do
      local name = id .. '/' .. member
      local text = redis.call('HGET', active_key(claim.token), name)
      if text then
        deactivate(id, name, claim.token, text)
        if claim.group then
          redis.call('LREM', key('begun:' .. claim.group), 1, claim.begun)
          redis.call('HINCRBY', key('group_version'), claim.group, 1)
        end
        if restores then
          redis.call('ZREM', runs_key(id), member)
        else
          local known = cjson.decode(text)
          known.node, known.token, known.claimed, known.instances, known.group_name = nil, nil, nil, nil, nil
          known.available = claim.available_text
          put_in_queue(id, name, cjson.encode(known), claim.available, known.cause)
        end
      end
    end
  elseif not is_ours then
    undone[at] = true -- it was done
  end
end
tell()
return answer({ undone = undone })
