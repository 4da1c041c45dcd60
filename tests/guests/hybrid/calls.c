#include "hybridtest.h"
void calls(void){}
void type(void){}
