-- Note what was done to the store as a whole.
note()
return answer({})
