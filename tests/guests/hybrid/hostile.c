#include "hybridtest.h"
void hostile(void){}
