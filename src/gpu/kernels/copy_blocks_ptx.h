// Generated from copy_blocks.cu by scripts/make_kernels.sh: change that, then run this.
#pragma once

namespace hawser {

inline constexpr char kCopyBlocksSourceSha256[] =
    "78ef041be988f2061503346b5ecf0ff665e66226ef31ee6438c253834840e95d";
inline constexpr char kCopyBlocksCompiler[] = "Debian clang version 14.0.6";
inline constexpr char kCopyBlocksPtx[] = R"ptx(
.version 6.0
.target sm_70
.address_size 64
.visible .entry hawser_copy_blocks(
	.param .u64 hawser_copy_blocks_param_0,
	.param .u32 hawser_copy_blocks_param_1
)
{
	.reg .pred 	%p<42>;
	.reg .b32 	%r<949>;
	.reg .b64 	%rd<76>;
	ld.param.u32 	%r26, [hawser_copy_blocks_param_1];
	mov.u32 %r27, %tid.x;
	mov.u32 %r28, %ntid.x;
	shr.u32 	%r31, %r28, 5;
	mov.u32 %r29, %nctaid.x;
	mov.u32 %r30, %ctaid.x;
	shr.u32 	%r32, %r27, 5;
	mad.lo.s32 	%r945, %r30, %r31, %r32;
	setp.ge.u32 	%p1, %r945, %r26;
	@%p1 bra 	LBB0_15;
	ld.param.u64 	%rd8, [hawser_copy_blocks_param_0];
	and.b32  	%r2, %r27, 31;
	mul.lo.s32 	%r3, %r29, %r31;
	cvt.u64.u32 	%rd1, %r2;
	setp.eq.s32 	%p2, %r2, 0;
	selp.u32 	%r5, 1, 0, %p2;
	add.s32 	%r33, %r27, 1;
	and.b32  	%r6, %r33, 31;
	bra.uni 	LBB0_2;
LBB0_13:
	add.s64 	%rd71, %rd9, %rd1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r938, 0;
	@p st.global.u8 [%rd71], %r937;
	}
	add.s64 	%rd72, %rd4, %rd71;
	{
	.reg .pred p;
	setp.ne.u32 p, %r940, 0;
	@p st.global.u8 [%rd72], %r939;
	}
LBB0_14:
	add.s32 	%r945, %r945, %r3;
	setp.lt.u32 	%p41, %r945, %r26;
	@%p41 bra 	LBB0_2;
	bra.uni 	LBB0_15;
LBB0_2:
	mul.wide.u32 	%rd14, %r945, 32;
	add.s64 	%rd11, %rd8, %rd14;
	ld.volatile.global.v2.u64 {%rd9, %rd10}, [%rd11];
	add.s64 	%rd13, %rd11, 16;
	ld.volatile.global.u64 %rd12, [%rd13];
	cvt.u32.u64 	%r8, %rd12;
	setp.gt.u32 	%p3, %r8, 63;
	@%p3 bra 	LBB0_6;
	setp.ge.u32 	%p39, %r2, %r8;
	@%p39 bra 	LBB0_14;
	mov.u32 	%r946, %r2;
LBB0_5:
	cvt.u64.u32 	%rd75, %r946;
	add.s64 	%rd73, %rd10, %rd75;
	mov.u32 	%r942, 1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r942, 0;
	@p ld.global.u8 %r941, [%rd73];
	}
	add.s64 	%rd74, %rd9, %rd75;
	{
	.reg .pred p;
	setp.ne.u32 p, %r942, 0;
	@p st.global.u8 [%rd74], %r941;
	}
	add.s32 	%r946, %r946, 32;
	setp.lt.u32 	%p40, %r946, %r8;
	@%p40 bra 	LBB0_5;
	bra.uni 	LBB0_14;
LBB0_6:
	sub.s64 	%rd17, %rd10, %rd9;
	cvt.u32.u64 	%r11, %rd17;
	and.b32  	%r12, %r11, 15;
	cvt.u32.u64 	%r38, %rd9;
	neg.s32 	%r39, %r38;
	and.b32  	%r40, %r39, 15;
	setp.lt.u32 	%p4, %r40, %r12;
	or.b32  	%r41, %r40, 16;
	selp.b32 	%r42, %r41, %r40, %p4;
	sub.s32 	%r43, %r8, %r42;
	add.s32 	%r44, %r43, %r12;
	shr.u32 	%r45, %r44, 4;
	setp.ne.s32 	%p5, %r12, 0;
	selp.s32 	%r46, -1, 0, %p5;
	add.s32 	%r13, %r45, %r46;
	mad.lo.s32 	%r47, %r13, -16, %r43;
	cvt.u64.u32 	%rd18, %r42;
	mul.wide.u32 	%rd19, %r13, 16;
	add.s64 	%rd4, %rd19, %rd18;
	add.s64 	%rd15, %rd10, %rd1;
	setp.gt.u32 	%p6, %r42, %r2;
	selp.u32 	%r938, 1, 0, %p6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r938, 0;
	@p ld.global.u8 %r937, [%rd15];
	}
	add.s64 	%rd16, %rd4, %rd15;
	setp.gt.u32 	%p7, %r47, %r2;
	selp.u32 	%r940, 1, 0, %p7;
	{
	.reg .pred p;
	setp.ne.u32 p, %r940, 0;
	@p ld.global.u8 %r939, [%rd16];
	}
	add.s64 	%rd5, %rd9, %rd18;
	add.s64 	%rd6, %rd10, %rd18;
	@%p5 bra 	LBB0_10;
	bra.uni 	LBB0_7;
LBB0_10:
	setp.eq.s32 	%p8, %r13, 0;
	@%p8 bra 	LBB0_13;
	cvt.u64.u32 	%rd20, %r12;
	sub.s64 	%rd7, %rd6, %rd20;
	shr.u32 	%r126, %r12, 3;
	bfe.u32 	%r150, %r11, 2, 1;
	shl.b32 	%r49, %r12, 3;
	and.b32  	%r170, %r49, 24;
	mov.u32 	%r948, 0;
LBB0_12:
	or.b32  	%r839, %r948, %r2;
	mul.wide.u32 	%rd38, %r839, 16;
	add.s64 	%rd21, %rd38, %rd7;
	setp.le.u32 	%p10, %r839, %r13;
	selp.u32 	%r54, 1, 0, %p10;
	{
	.reg .pred p;
	setp.ne.u32 p, %r54, 0;
	@p ld.global.v4.u32 {%r97, %r104, %r111, %r118}, [%rd21];
	}
	or.b32  	%r840, %r839, 32;
	mul.wide.u32 	%rd39, %r840, 16;
	add.s64 	%rd22, %rd39, %rd7;
	setp.le.u32 	%p11, %r840, %r13;
	selp.u32 	%r59, 1, 0, %p11;
	{
	.reg .pred p;
	setp.ne.u32 p, %r59, 0;
	@p ld.global.v4.u32 {%r96, %r103, %r110, %r117}, [%rd22];
	}
	or.b32  	%r841, %r839, 64;
	mul.wide.u32 	%rd40, %r841, 16;
	add.s64 	%rd23, %rd40, %rd7;
	setp.le.u32 	%p12, %r841, %r13;
	selp.u32 	%r64, 1, 0, %p12;
	{
	.reg .pred p;
	setp.ne.u32 p, %r64, 0;
	@p ld.global.v4.u32 {%r189, %r196, %r203, %r210}, [%rd23];
	}
	or.b32  	%r842, %r839, 96;
	mul.wide.u32 	%rd41, %r842, 16;
	add.s64 	%rd24, %rd41, %rd7;
	setp.le.u32 	%p13, %r842, %r13;
	selp.u32 	%r69, 1, 0, %p13;
	{
	.reg .pred p;
	setp.ne.u32 p, %r69, 0;
	@p ld.global.v4.u32 {%r282, %r289, %r296, %r303}, [%rd24];
	}
	or.b32  	%r843, %r839, 128;
	mul.wide.u32 	%rd42, %r843, 16;
	add.s64 	%rd25, %rd42, %rd7;
	setp.le.u32 	%p14, %r843, %r13;
	selp.u32 	%r74, 1, 0, %p14;
	{
	.reg .pred p;
	setp.ne.u32 p, %r74, 0;
	@p ld.global.v4.u32 {%r375, %r382, %r389, %r396}, [%rd25];
	}
	or.b32  	%r844, %r839, 160;
	mul.wide.u32 	%rd43, %r844, 16;
	add.s64 	%rd26, %rd43, %rd7;
	setp.le.u32 	%p15, %r844, %r13;
	selp.u32 	%r79, 1, 0, %p15;
	{
	.reg .pred p;
	setp.ne.u32 p, %r79, 0;
	@p ld.global.v4.u32 {%r468, %r475, %r482, %r489}, [%rd26];
	}
	or.b32  	%r845, %r839, 192;
	mul.wide.u32 	%rd44, %r845, 16;
	add.s64 	%rd27, %rd44, %rd7;
	setp.le.u32 	%p16, %r845, %r13;
	selp.u32 	%r84, 1, 0, %p16;
	{
	.reg .pred p;
	setp.ne.u32 p, %r84, 0;
	@p ld.global.v4.u32 {%r561, %r568, %r575, %r582}, [%rd27];
	}
	or.b32  	%r846, %r839, 224;
	mul.wide.u32 	%rd45, %r846, 16;
	add.s64 	%rd28, %rd45, %rd7;
	setp.le.u32 	%p17, %r846, %r13;
	selp.u32 	%r89, 1, 0, %p17;
	{
	.reg .pred p;
	setp.ne.u32 p, %r89, 0;
	@p ld.global.v4.u32 {%r654, %r661, %r668, %r675}, [%rd28];
	}
	add.s32 	%r847, %r839, 256;
	mul.wide.u32 	%rd46, %r847, 16;
	add.s64 	%rd29, %rd46, %rd7;
	setp.le.u32 	%p18, %r847, %r13;
	and.pred  	%p19, %p2, %p18;
	selp.u32 	%r94, 1, 0, %p19;
	{
	.reg .pred p;
	setp.ne.u32 p, %r94, 0;
	@p ld.global.v4.u32 {%r90, %r91, %r92, %r93}, [%rd29];
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r95, %r96, %r97, p;
	}
	shfl.sync.idx.b32 %r132, %r95, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r102, %r103, %r104, p;
	}
	shfl.sync.idx.b32 %r136, %r102, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r109, %r110, %r111, p;
	}
	shfl.sync.idx.b32 %r113, %r109, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r116, %r117, %r118, p;
	}
	shfl.sync.idx.b32 %r120, %r116, %r6, 31, -1;
	add.s64 	%rd30, %rd38, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r123, %r111, %r97, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r148, %r118, %r104, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r152, %r132, %r111, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r156, %r136, %r118, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r160, %r113, %r132, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r143, %r120, %r136, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r147, %r148, %r123, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r169, %r152, %r148, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r173, %r156, %r152, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r177, %r160, %r156, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r163, %r143, %r160, p;
	}
	shf.r.wrap.b32 %r167, %r147, %r169, %r170;
	shf.r.wrap.b32 %r171, %r169, %r173, %r170;
	shf.r.wrap.b32 %r175, %r173, %r177, %r170;
	shf.r.wrap.b32 %r179, %r177, %r163, %r170;
	setp.lt.u32 	%p20, %r839, %r13;
	selp.u32 	%r187, 1, 0, %p20;
	{
	.reg .pred p;
	setp.ne.u32 p, %r187, 0;
	@p st.global.v4.u32 [%rd30], {%r167, %r171, %r175, %r179};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r188, %r189, %r96, p;
	}
	shfl.sync.idx.b32 %r225, %r188, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r195, %r196, %r103, p;
	}
	shfl.sync.idx.b32 %r229, %r195, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r202, %r203, %r110, p;
	}
	shfl.sync.idx.b32 %r206, %r202, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r209, %r210, %r117, p;
	}
	shfl.sync.idx.b32 %r213, %r209, %r6, 31, -1;
	add.s64 	%rd31, %rd39, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r216, %r110, %r96, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r241, %r117, %r103, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r245, %r225, %r110, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r249, %r229, %r117, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r253, %r206, %r225, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r236, %r213, %r229, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r240, %r241, %r216, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r262, %r245, %r241, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r266, %r249, %r245, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r270, %r253, %r249, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r256, %r236, %r253, p;
	}
	shf.r.wrap.b32 %r260, %r240, %r262, %r170;
	shf.r.wrap.b32 %r264, %r262, %r266, %r170;
	shf.r.wrap.b32 %r268, %r266, %r270, %r170;
	shf.r.wrap.b32 %r272, %r270, %r256, %r170;
	setp.lt.u32 	%p21, %r840, %r13;
	selp.u32 	%r280, 1, 0, %p21;
	{
	.reg .pred p;
	setp.ne.u32 p, %r280, 0;
	@p st.global.v4.u32 [%rd31], {%r260, %r264, %r268, %r272};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r281, %r282, %r189, p;
	}
	shfl.sync.idx.b32 %r318, %r281, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r288, %r289, %r196, p;
	}
	shfl.sync.idx.b32 %r322, %r288, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r295, %r296, %r203, p;
	}
	shfl.sync.idx.b32 %r299, %r295, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r302, %r303, %r210, p;
	}
	shfl.sync.idx.b32 %r306, %r302, %r6, 31, -1;
	add.s64 	%rd32, %rd40, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r309, %r203, %r189, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r334, %r210, %r196, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r338, %r318, %r203, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r342, %r322, %r210, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r346, %r299, %r318, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r329, %r306, %r322, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r333, %r334, %r309, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r355, %r338, %r334, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r359, %r342, %r338, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r363, %r346, %r342, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r349, %r329, %r346, p;
	}
	shf.r.wrap.b32 %r353, %r333, %r355, %r170;
	shf.r.wrap.b32 %r357, %r355, %r359, %r170;
	shf.r.wrap.b32 %r361, %r359, %r363, %r170;
	shf.r.wrap.b32 %r365, %r363, %r349, %r170;
	setp.lt.u32 	%p22, %r841, %r13;
	selp.u32 	%r373, 1, 0, %p22;
	{
	.reg .pred p;
	setp.ne.u32 p, %r373, 0;
	@p st.global.v4.u32 [%rd32], {%r353, %r357, %r361, %r365};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r374, %r375, %r282, p;
	}
	shfl.sync.idx.b32 %r411, %r374, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r381, %r382, %r289, p;
	}
	shfl.sync.idx.b32 %r415, %r381, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r388, %r389, %r296, p;
	}
	shfl.sync.idx.b32 %r392, %r388, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r395, %r396, %r303, p;
	}
	shfl.sync.idx.b32 %r399, %r395, %r6, 31, -1;
	add.s64 	%rd33, %rd41, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r402, %r296, %r282, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r427, %r303, %r289, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r431, %r411, %r296, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r435, %r415, %r303, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r439, %r392, %r411, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r422, %r399, %r415, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r426, %r427, %r402, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r448, %r431, %r427, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r452, %r435, %r431, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r456, %r439, %r435, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r442, %r422, %r439, p;
	}
	shf.r.wrap.b32 %r446, %r426, %r448, %r170;
	shf.r.wrap.b32 %r450, %r448, %r452, %r170;
	shf.r.wrap.b32 %r454, %r452, %r456, %r170;
	shf.r.wrap.b32 %r458, %r456, %r442, %r170;
	setp.lt.u32 	%p23, %r842, %r13;
	selp.u32 	%r466, 1, 0, %p23;
	{
	.reg .pred p;
	setp.ne.u32 p, %r466, 0;
	@p st.global.v4.u32 [%rd33], {%r446, %r450, %r454, %r458};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r467, %r468, %r375, p;
	}
	shfl.sync.idx.b32 %r504, %r467, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r474, %r475, %r382, p;
	}
	shfl.sync.idx.b32 %r508, %r474, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r481, %r482, %r389, p;
	}
	shfl.sync.idx.b32 %r485, %r481, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r488, %r489, %r396, p;
	}
	shfl.sync.idx.b32 %r492, %r488, %r6, 31, -1;
	add.s64 	%rd34, %rd42, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r495, %r389, %r375, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r520, %r396, %r382, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r524, %r504, %r389, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r528, %r508, %r396, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r532, %r485, %r504, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r515, %r492, %r508, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r519, %r520, %r495, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r541, %r524, %r520, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r545, %r528, %r524, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r549, %r532, %r528, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r535, %r515, %r532, p;
	}
	shf.r.wrap.b32 %r539, %r519, %r541, %r170;
	shf.r.wrap.b32 %r543, %r541, %r545, %r170;
	shf.r.wrap.b32 %r547, %r545, %r549, %r170;
	shf.r.wrap.b32 %r551, %r549, %r535, %r170;
	setp.lt.u32 	%p24, %r843, %r13;
	selp.u32 	%r559, 1, 0, %p24;
	{
	.reg .pred p;
	setp.ne.u32 p, %r559, 0;
	@p st.global.v4.u32 [%rd34], {%r539, %r543, %r547, %r551};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r560, %r561, %r468, p;
	}
	shfl.sync.idx.b32 %r597, %r560, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r567, %r568, %r475, p;
	}
	shfl.sync.idx.b32 %r601, %r567, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r574, %r575, %r482, p;
	}
	shfl.sync.idx.b32 %r578, %r574, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r581, %r582, %r489, p;
	}
	shfl.sync.idx.b32 %r585, %r581, %r6, 31, -1;
	add.s64 	%rd35, %rd43, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r588, %r482, %r468, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r613, %r489, %r475, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r617, %r597, %r482, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r621, %r601, %r489, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r625, %r578, %r597, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r608, %r585, %r601, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r612, %r613, %r588, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r634, %r617, %r613, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r638, %r621, %r617, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r642, %r625, %r621, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r628, %r608, %r625, p;
	}
	shf.r.wrap.b32 %r632, %r612, %r634, %r170;
	shf.r.wrap.b32 %r636, %r634, %r638, %r170;
	shf.r.wrap.b32 %r640, %r638, %r642, %r170;
	shf.r.wrap.b32 %r644, %r642, %r628, %r170;
	setp.lt.u32 	%p25, %r844, %r13;
	selp.u32 	%r652, 1, 0, %p25;
	{
	.reg .pred p;
	setp.ne.u32 p, %r652, 0;
	@p st.global.v4.u32 [%rd35], {%r632, %r636, %r640, %r644};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r653, %r654, %r561, p;
	}
	shfl.sync.idx.b32 %r690, %r653, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r660, %r661, %r568, p;
	}
	shfl.sync.idx.b32 %r694, %r660, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r667, %r668, %r575, p;
	}
	shfl.sync.idx.b32 %r671, %r667, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r674, %r675, %r582, p;
	}
	shfl.sync.idx.b32 %r678, %r674, %r6, 31, -1;
	add.s64 	%rd36, %rd44, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r681, %r575, %r561, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r706, %r582, %r568, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r710, %r690, %r575, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r714, %r694, %r582, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r718, %r671, %r690, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r701, %r678, %r694, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r705, %r706, %r681, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r727, %r710, %r706, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r731, %r714, %r710, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r735, %r718, %r714, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r721, %r701, %r718, p;
	}
	shf.r.wrap.b32 %r725, %r705, %r727, %r170;
	shf.r.wrap.b32 %r729, %r727, %r731, %r170;
	shf.r.wrap.b32 %r733, %r731, %r735, %r170;
	shf.r.wrap.b32 %r737, %r735, %r721, %r170;
	setp.lt.u32 	%p26, %r845, %r13;
	selp.u32 	%r745, 1, 0, %p26;
	{
	.reg .pred p;
	setp.ne.u32 p, %r745, 0;
	@p st.global.v4.u32 [%rd36], {%r725, %r729, %r733, %r737};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r746, %r90, %r654, p;
	}
	shfl.sync.idx.b32 %r783, %r746, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r753, %r91, %r661, p;
	}
	shfl.sync.idx.b32 %r787, %r753, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r760, %r92, %r668, p;
	}
	shfl.sync.idx.b32 %r764, %r760, %r6, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r5, 0;
	selp.b32 %r767, %r93, %r675, p;
	}
	shfl.sync.idx.b32 %r771, %r767, %r6, 31, -1;
	add.s64 	%rd37, %rd45, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r774, %r668, %r654, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r799, %r675, %r661, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r803, %r783, %r668, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r807, %r787, %r675, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r811, %r764, %r783, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r126, 0;
	selp.b32 %r794, %r771, %r787, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r798, %r799, %r774, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r820, %r803, %r799, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r824, %r807, %r803, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r828, %r811, %r807, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	selp.b32 %r814, %r794, %r811, p;
	}
	shf.r.wrap.b32 %r818, %r798, %r820, %r170;
	shf.r.wrap.b32 %r822, %r820, %r824, %r170;
	shf.r.wrap.b32 %r826, %r824, %r828, %r170;
	shf.r.wrap.b32 %r830, %r828, %r814, %r170;
	setp.lt.u32 	%p27, %r846, %r13;
	selp.u32 	%r838, 1, 0, %p27;
	{
	.reg .pred p;
	setp.ne.u32 p, %r838, 0;
	@p st.global.v4.u32 [%rd37], {%r818, %r822, %r826, %r830};
	}
	add.s32 	%r948, %r948, 256;
	setp.lt.u32 	%p28, %r948, %r13;
	@%p28 bra 	LBB0_12;
	bra.uni 	LBB0_13;
LBB0_7:
	setp.eq.s32 	%p29, %r13, 0;
	@%p29 bra 	LBB0_13;
	mov.u32 	%r947, 0;
LBB0_9:
	or.b32  	%r929, %r947, %r2;
	mul.wide.u32 	%rd63, %r929, 16;
	add.s64 	%rd47, %rd63, %rd6;
	setp.lt.u32 	%p30, %r929, %r13;
	selp.u32 	%r853, 1, 0, %p30;
	{
	.reg .pred p;
	setp.ne.u32 p, %r853, 0;
	@p ld.global.v4.u32 {%r849, %r850, %r851, %r852}, [%rd47];
	}
	or.b32  	%r930, %r929, 32;
	mul.wide.u32 	%rd64, %r930, 16;
	add.s64 	%rd48, %rd64, %rd6;
	setp.lt.u32 	%p31, %r930, %r13;
	selp.u32 	%r858, 1, 0, %p31;
	{
	.reg .pred p;
	setp.ne.u32 p, %r858, 0;
	@p ld.global.v4.u32 {%r854, %r855, %r856, %r857}, [%rd48];
	}
	or.b32  	%r931, %r929, 64;
	mul.wide.u32 	%rd65, %r931, 16;
	add.s64 	%rd49, %rd65, %rd6;
	setp.lt.u32 	%p32, %r931, %r13;
	selp.u32 	%r863, 1, 0, %p32;
	{
	.reg .pred p;
	setp.ne.u32 p, %r863, 0;
	@p ld.global.v4.u32 {%r859, %r860, %r861, %r862}, [%rd49];
	}
	or.b32  	%r932, %r929, 96;
	mul.wide.u32 	%rd66, %r932, 16;
	add.s64 	%rd50, %rd66, %rd6;
	setp.lt.u32 	%p33, %r932, %r13;
	selp.u32 	%r868, 1, 0, %p33;
	{
	.reg .pred p;
	setp.ne.u32 p, %r868, 0;
	@p ld.global.v4.u32 {%r864, %r865, %r866, %r867}, [%rd50];
	}
	or.b32  	%r933, %r929, 128;
	mul.wide.u32 	%rd67, %r933, 16;
	add.s64 	%rd51, %rd67, %rd6;
	setp.lt.u32 	%p34, %r933, %r13;
	selp.u32 	%r873, 1, 0, %p34;
	{
	.reg .pred p;
	setp.ne.u32 p, %r873, 0;
	@p ld.global.v4.u32 {%r869, %r870, %r871, %r872}, [%rd51];
	}
	or.b32  	%r934, %r929, 160;
	mul.wide.u32 	%rd68, %r934, 16;
	add.s64 	%rd52, %rd68, %rd6;
	setp.lt.u32 	%p35, %r934, %r13;
	selp.u32 	%r878, 1, 0, %p35;
	{
	.reg .pred p;
	setp.ne.u32 p, %r878, 0;
	@p ld.global.v4.u32 {%r874, %r875, %r876, %r877}, [%rd52];
	}
	or.b32  	%r935, %r929, 192;
	mul.wide.u32 	%rd69, %r935, 16;
	add.s64 	%rd53, %rd69, %rd6;
	setp.lt.u32 	%p36, %r935, %r13;
	selp.u32 	%r883, 1, 0, %p36;
	{
	.reg .pred p;
	setp.ne.u32 p, %r883, 0;
	@p ld.global.v4.u32 {%r879, %r880, %r881, %r882}, [%rd53];
	}
	or.b32  	%r936, %r929, 224;
	mul.wide.u32 	%rd70, %r936, 16;
	add.s64 	%rd54, %rd70, %rd6;
	setp.lt.u32 	%p37, %r936, %r13;
	selp.u32 	%r888, 1, 0, %p37;
	{
	.reg .pred p;
	setp.ne.u32 p, %r888, 0;
	@p ld.global.v4.u32 {%r884, %r885, %r886, %r887}, [%rd54];
	}
	add.s64 	%rd55, %rd63, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r853, 0;
	@p st.global.v4.u32 [%rd55], {%r849, %r850, %r851, %r852};
	}
	add.s64 	%rd56, %rd64, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r858, 0;
	@p st.global.v4.u32 [%rd56], {%r854, %r855, %r856, %r857};
	}
	add.s64 	%rd57, %rd65, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r863, 0;
	@p st.global.v4.u32 [%rd57], {%r859, %r860, %r861, %r862};
	}
	add.s64 	%rd58, %rd66, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r868, 0;
	@p st.global.v4.u32 [%rd58], {%r864, %r865, %r866, %r867};
	}
	add.s64 	%rd59, %rd67, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r873, 0;
	@p st.global.v4.u32 [%rd59], {%r869, %r870, %r871, %r872};
	}
	add.s64 	%rd60, %rd68, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r878, 0;
	@p st.global.v4.u32 [%rd60], {%r874, %r875, %r876, %r877};
	}
	add.s64 	%rd61, %rd69, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r883, 0;
	@p st.global.v4.u32 [%rd61], {%r879, %r880, %r881, %r882};
	}
	add.s64 	%rd62, %rd70, %rd5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r888, 0;
	@p st.global.v4.u32 [%rd62], {%r884, %r885, %r886, %r887};
	}
	add.s32 	%r947, %r947, 256;
	setp.lt.u32 	%p38, %r947, %r13;
	@%p38 bra 	LBB0_9;
	bra.uni 	LBB0_13;
LBB0_15:
	ret;
}
)ptx";

}  // namespace hawser
