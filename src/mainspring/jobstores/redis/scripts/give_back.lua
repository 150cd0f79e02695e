-- Undo claims, each with the job as it was before; what can't be undone waits to be claimed again, if it may, or is skipped, if its job is
-- no more.
local undone = {}
for at, claim in ipairs(question.claims) do
  local id = claim.job_id
  local first = redis.call('HGET', active_key(claim.token), id .. '/' .. claim.members[1])
  local is_ours = first and true or false
  local is_anothers = is_ours and is_disowned(first)
  local restores = not (claim.was_queued or is_anothers)
  if is_ours and restores then
    local is_there = redis.call('EXISTS', job_key(id)) == 1
    if claim.may_be_gone and not is_there then
      restores = true
    else
      restores = has_version(id, claim.expects)
      if claim.has_ended then restores = restores and redis.call('HGET', job_key(id), 'state') == ENDING end
      is_anothers = claim.may_be_gone and not restores -- its schedule had ended, and another has got its id since
    end
    if restores then replace_job(claim.job) end
  end
  undone[at] = (restores or (claim.was_queued and not is_anothers)) and true or false
  if is_ours and (restores or (claim.may_wait and (not is_anothers or question.skipped))) then
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
        elseif is_anothers then
          local scheduled = string.format('%.0f', tonumber(redis.call('ZSCORE', runs_key(id), member)))
          put_history(name, scheduled, joined(text, question.skipped))
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
