/*
 * hello.S: a guest in assembler alone. It needs no stack and no vectors.
 */
#define UART  0xEF600300
#define LSR   5
#define DBCR0 0x3F2

    .text
    .globl  _start
_start:
    lis     %r3, UART@h
    ori     %r3, %r3, UART@l
    lis     %r4, message@h
    ori     %r4, %r4, message@l
next:
    lbz     %r5, 0(%r4)
    addi    %r4, %r4, 1
wait:
    lbz     %r6, LSR(%r3)
    andi.   %r6, %r6, 0x60          /* room for a byte; behind the last one, all are out */
    cmpwi   %r6, 0x60
    bne     wait
    cmpwi   %r5, 0
    beq     end
    stb     %r5, 0(%r3)
    b       next
end:
    lis     %r3, 0x3000             /* system reset: this VM's end */
    mtspr   DBCR0, %r3
    b       end

message:
    .asciz  "hello: PASS\n"
