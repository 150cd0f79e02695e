-- Keep jobs, all or none.
local taken = put_new_jobs(question.jobs)
if taken == -1 then return answer({ is_stale = true }) end
if taken then return answer({ taken = taken }) end
note()
tell()
return answer({})
