-- Write outcomes.
local refused = finish(question.finish)
if refused == nil then return answer({ is_stale = true }) end
return answer({ refused = refused })
