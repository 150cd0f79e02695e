-- One run, whatever it does; and what it has said of how far it is.
local said = redis.call('HGET', key('progress'), question.name)
local text = redis.call('HGET', key('ended'), question.name) or redis.call('HGET', key('queued'), question.name)
if not text then
  for _, token in ipairs(holders()) do
    text = text or redis.call('HGET', active_key(token), question.name)
  end
end
return answer({ run = text or false, progress = said or false })
