    .section .note.GNU-stack, ""
