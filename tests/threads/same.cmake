# Runs PROGRAM on 1, 2 and 3 threads; all must print the same.
foreach(threads 1 2 3)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env OMP_NUM_THREADS=${threads} OMP_WAIT_POLICY=passive "${PROGRAM}"
                  OUTPUT_VARIABLE printed RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT printed MATCHES "digest")
    message(FATAL_ERROR "On ${threads} threads it ended with ${status}:\n${printed}")
  endif()
  if(NOT DEFINED expected)
    set(expected "${printed}")
  elseif(NOT printed STREQUAL expected)
    message(FATAL_ERROR "On ${threads} threads it printed\n${printed}and on one thread\n${expected}")
  endif()
endforeach()
message("${expected}")
