// Generated from copy_blocks.cu and copy_tile.cuh by scripts/make_kernels.sh: change those, then run this.
#pragma once

namespace hawser {

inline constexpr char kCopyBlocksSourceSha256[] =
    "5243c3989a93b856bbf32522382f44df98a5bcb4beba7a608ad509cb228dfc76";
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
	.reg .pred 	%p<43>;
	.reg .b32 	%r<972>;
	.reg .b64 	%rd<79>;
	ld.param.u32 	%r29, [hawser_copy_blocks_param_1];
	mov.u32 %r30, %tid.x;
	mov.u32 %r31, %ntid.x;
	shr.u32 	%r34, %r31, 5;
	mov.u32 %r32, %nctaid.x;
	mov.u32 %r33, %ctaid.x;
	shr.u32 	%r35, %r30, 5;
	mad.lo.s32 	%r968, %r33, %r34, %r35;
	setp.ge.u32 	%p1, %r968, %r29;
	@%p1 bra 	LBB0_15;
	ld.param.u64 	%rd9, [hawser_copy_blocks_param_0];
	and.b32  	%r2, %r30, 31;
	mul.lo.s32 	%r3, %r32, %r34;
	shl.b32 	%r36, %r2, 4;
	cvt.u64.u32 	%rd1, %r36;
	setp.lt.u32 	%p2, %r2, 2;
	selp.u32 	%r42, 1, 0, %p2;
	cvt.u64.u32 	%rd2, %r2;
	setp.eq.s32 	%p3, %r2, 0;
	selp.u32 	%r6, 1, 0, %p3;
	add.s32 	%r37, %r30, 1;
	and.b32  	%r7, %r37, 31;
	bra.uni 	LBB0_2;
LBB0_13:
	add.s64 	%rd74, %rd3, %rd2;
	{
	.reg .pred p;
	setp.ne.u32 p, %r961, 0;
	@p st.global.u8 [%rd74], %r960;
	}
	add.s64 	%rd75, %rd5, %rd74;
	{
	.reg .pred p;
	setp.ne.u32 p, %r963, 0;
	@p st.global.u8 [%rd75], %r962;
	}
LBB0_14:
	add.s32 	%r968, %r968, %r3;
	setp.lt.u32 	%p42, %r968, %r29;
	@%p42 bra 	LBB0_2;
	bra.uni 	LBB0_15;
LBB0_2:
	mul.wide.u32 	%rd11, %r968, 32;
	add.s64 	%rd12, %rd9, %rd11;
	add.s64 	%rd10, %rd12, %rd1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r42, 0;
	@p ld.global.v4.u32 {%r47, %r39, %r40, %r41}, [%rd10];
	}
	mov.u32 	%r971, 0;
	shfl.sync.idx.b32 %r43, %r39, %r971, 31, -1;
	cvt.u64.u32 	%rd13, %r43;
	shl.b64 	%rd14, %rd13, 32;
	shfl.sync.idx.b32 %r46, %r47, %r971, 31, -1;
	cvt.u64.u32 	%rd15, %r46;
	or.b64  	%rd3, %rd14, %rd15;
	shfl.sync.idx.b32 %r49, %r41, %r971, 31, -1;
	cvt.u64.u32 	%rd16, %r49;
	shl.b64 	%rd17, %rd16, 32;
	shfl.sync.idx.b32 %r52, %r40, %r971, 31, -1;
	cvt.u64.u32 	%rd18, %r52;
	or.b64  	%rd4, %rd17, %rd18;
	mov.u32 	%r965, 1;
	shfl.sync.idx.b32 %r55, %r47, %r965, 31, -1;
	setp.gt.u32 	%p4, %r55, 63;
	@%p4 bra 	LBB0_6;
	setp.ge.u32 	%p40, %r2, %r55;
	@%p40 bra 	LBB0_14;
	mov.u32 	%r969, %r2;
LBB0_5:
	cvt.u64.u32 	%rd78, %r969;
	add.s64 	%rd76, %rd4, %rd78;
	{
	.reg .pred p;
	setp.ne.u32 p, %r965, 0;
	@p ld.global.u8 %r964, [%rd76];
	}
	add.s64 	%rd77, %rd3, %rd78;
	{
	.reg .pred p;
	setp.ne.u32 p, %r965, 0;
	@p st.global.u8 [%rd77], %r964;
	}
	add.s32 	%r969, %r969, 32;
	setp.lt.u32 	%p41, %r969, %r55;
	@%p41 bra 	LBB0_5;
	bra.uni 	LBB0_14;
LBB0_6:
	sub.s32 	%r14, %r52, %r46;
	and.b32  	%r15, %r14, 15;
	neg.s32 	%r62, %r46;
	and.b32  	%r63, %r62, 15;
	setp.lt.u32 	%p5, %r63, %r15;
	or.b32  	%r64, %r63, 16;
	selp.b32 	%r65, %r64, %r63, %p5;
	sub.s32 	%r66, %r55, %r65;
	add.s32 	%r67, %r66, %r15;
	shr.u32 	%r68, %r67, 4;
	setp.ne.s32 	%p6, %r15, 0;
	selp.s32 	%r69, -1, 0, %p6;
	add.s32 	%r16, %r68, %r69;
	mad.lo.s32 	%r70, %r16, -16, %r66;
	cvt.u64.u32 	%rd21, %r65;
	mul.wide.u32 	%rd22, %r16, 16;
	add.s64 	%rd5, %rd22, %rd21;
	add.s64 	%rd19, %rd4, %rd2;
	setp.gt.u32 	%p7, %r65, %r2;
	selp.u32 	%r961, 1, 0, %p7;
	{
	.reg .pred p;
	setp.ne.u32 p, %r961, 0;
	@p ld.global.u8 %r960, [%rd19];
	}
	add.s64 	%rd20, %rd5, %rd19;
	setp.gt.u32 	%p8, %r70, %r2;
	selp.u32 	%r963, 1, 0, %p8;
	{
	.reg .pred p;
	setp.ne.u32 p, %r963, 0;
	@p ld.global.u8 %r962, [%rd20];
	}
	add.s64 	%rd6, %rd3, %rd21;
	add.s64 	%rd7, %rd4, %rd21;
	@%p6 bra 	LBB0_10;
	bra.uni 	LBB0_7;
LBB0_10:
	setp.eq.s32 	%p9, %r16, 0;
	@%p9 bra 	LBB0_13;
	cvt.u64.u32 	%rd23, %r15;
	sub.s64 	%rd8, %rd7, %rd23;
	shr.u32 	%r149, %r15, 3;
	bfe.u32 	%r173, %r14, 2, 1;
	shl.b32 	%r72, %r15, 3;
	and.b32  	%r193, %r72, 24;
LBB0_12:
	or.b32  	%r862, %r971, %r2;
	mul.wide.u32 	%rd41, %r862, 16;
	add.s64 	%rd24, %rd41, %rd8;
	setp.le.u32 	%p11, %r862, %r16;
	selp.u32 	%r77, 1, 0, %p11;
	{
	.reg .pred p;
	setp.ne.u32 p, %r77, 0;
	@p ld.global.v4.u32 {%r120, %r127, %r134, %r141}, [%rd24];
	}
	or.b32  	%r863, %r862, 32;
	mul.wide.u32 	%rd42, %r863, 16;
	add.s64 	%rd25, %rd42, %rd8;
	setp.le.u32 	%p12, %r863, %r16;
	selp.u32 	%r82, 1, 0, %p12;
	{
	.reg .pred p;
	setp.ne.u32 p, %r82, 0;
	@p ld.global.v4.u32 {%r119, %r126, %r133, %r140}, [%rd25];
	}
	or.b32  	%r864, %r862, 64;
	mul.wide.u32 	%rd43, %r864, 16;
	add.s64 	%rd26, %rd43, %rd8;
	setp.le.u32 	%p13, %r864, %r16;
	selp.u32 	%r87, 1, 0, %p13;
	{
	.reg .pred p;
	setp.ne.u32 p, %r87, 0;
	@p ld.global.v4.u32 {%r212, %r219, %r226, %r233}, [%rd26];
	}
	or.b32  	%r865, %r862, 96;
	mul.wide.u32 	%rd44, %r865, 16;
	add.s64 	%rd27, %rd44, %rd8;
	setp.le.u32 	%p14, %r865, %r16;
	selp.u32 	%r92, 1, 0, %p14;
	{
	.reg .pred p;
	setp.ne.u32 p, %r92, 0;
	@p ld.global.v4.u32 {%r305, %r312, %r319, %r326}, [%rd27];
	}
	or.b32  	%r866, %r862, 128;
	mul.wide.u32 	%rd45, %r866, 16;
	add.s64 	%rd28, %rd45, %rd8;
	setp.le.u32 	%p15, %r866, %r16;
	selp.u32 	%r97, 1, 0, %p15;
	{
	.reg .pred p;
	setp.ne.u32 p, %r97, 0;
	@p ld.global.v4.u32 {%r398, %r405, %r412, %r419}, [%rd28];
	}
	or.b32  	%r867, %r862, 160;
	mul.wide.u32 	%rd46, %r867, 16;
	add.s64 	%rd29, %rd46, %rd8;
	setp.le.u32 	%p16, %r867, %r16;
	selp.u32 	%r102, 1, 0, %p16;
	{
	.reg .pred p;
	setp.ne.u32 p, %r102, 0;
	@p ld.global.v4.u32 {%r491, %r498, %r505, %r512}, [%rd29];
	}
	or.b32  	%r868, %r862, 192;
	mul.wide.u32 	%rd47, %r868, 16;
	add.s64 	%rd30, %rd47, %rd8;
	setp.le.u32 	%p17, %r868, %r16;
	selp.u32 	%r107, 1, 0, %p17;
	{
	.reg .pred p;
	setp.ne.u32 p, %r107, 0;
	@p ld.global.v4.u32 {%r584, %r591, %r598, %r605}, [%rd30];
	}
	or.b32  	%r869, %r862, 224;
	mul.wide.u32 	%rd48, %r869, 16;
	add.s64 	%rd31, %rd48, %rd8;
	setp.le.u32 	%p18, %r869, %r16;
	selp.u32 	%r112, 1, 0, %p18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r112, 0;
	@p ld.global.v4.u32 {%r677, %r684, %r691, %r698}, [%rd31];
	}
	add.s32 	%r870, %r862, 256;
	mul.wide.u32 	%rd49, %r870, 16;
	add.s64 	%rd32, %rd49, %rd8;
	setp.le.u32 	%p19, %r870, %r16;
	and.pred  	%p20, %p3, %p19;
	selp.u32 	%r117, 1, 0, %p20;
	{
	.reg .pred p;
	setp.ne.u32 p, %r117, 0;
	@p ld.global.v4.u32 {%r113, %r114, %r115, %r116}, [%rd32];
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r118, %r119, %r120, p;
	}
	shfl.sync.idx.b32 %r155, %r118, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r125, %r126, %r127, p;
	}
	shfl.sync.idx.b32 %r159, %r125, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r132, %r133, %r134, p;
	}
	shfl.sync.idx.b32 %r136, %r132, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r139, %r140, %r141, p;
	}
	shfl.sync.idx.b32 %r143, %r139, %r7, 31, -1;
	add.s64 	%rd33, %rd41, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r146, %r134, %r120, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r171, %r141, %r127, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r175, %r155, %r134, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r179, %r159, %r141, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r183, %r136, %r155, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r166, %r143, %r159, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r170, %r171, %r146, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r192, %r175, %r171, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r196, %r179, %r175, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r200, %r183, %r179, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r186, %r166, %r183, p;
	}
	shf.r.wrap.b32 %r190, %r170, %r192, %r193;
	shf.r.wrap.b32 %r194, %r192, %r196, %r193;
	shf.r.wrap.b32 %r198, %r196, %r200, %r193;
	shf.r.wrap.b32 %r202, %r200, %r186, %r193;
	setp.lt.u32 	%p21, %r862, %r16;
	selp.u32 	%r210, 1, 0, %p21;
	{
	.reg .pred p;
	setp.ne.u32 p, %r210, 0;
	@p st.global.v4.u32 [%rd33], {%r190, %r194, %r198, %r202};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r211, %r212, %r119, p;
	}
	shfl.sync.idx.b32 %r248, %r211, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r218, %r219, %r126, p;
	}
	shfl.sync.idx.b32 %r252, %r218, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r225, %r226, %r133, p;
	}
	shfl.sync.idx.b32 %r229, %r225, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r232, %r233, %r140, p;
	}
	shfl.sync.idx.b32 %r236, %r232, %r7, 31, -1;
	add.s64 	%rd34, %rd42, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r239, %r133, %r119, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r264, %r140, %r126, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r268, %r248, %r133, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r272, %r252, %r140, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r276, %r229, %r248, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r259, %r236, %r252, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r263, %r264, %r239, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r285, %r268, %r264, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r289, %r272, %r268, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r293, %r276, %r272, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r279, %r259, %r276, p;
	}
	shf.r.wrap.b32 %r283, %r263, %r285, %r193;
	shf.r.wrap.b32 %r287, %r285, %r289, %r193;
	shf.r.wrap.b32 %r291, %r289, %r293, %r193;
	shf.r.wrap.b32 %r295, %r293, %r279, %r193;
	setp.lt.u32 	%p22, %r863, %r16;
	selp.u32 	%r303, 1, 0, %p22;
	{
	.reg .pred p;
	setp.ne.u32 p, %r303, 0;
	@p st.global.v4.u32 [%rd34], {%r283, %r287, %r291, %r295};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r304, %r305, %r212, p;
	}
	shfl.sync.idx.b32 %r341, %r304, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r311, %r312, %r219, p;
	}
	shfl.sync.idx.b32 %r345, %r311, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r318, %r319, %r226, p;
	}
	shfl.sync.idx.b32 %r322, %r318, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r325, %r326, %r233, p;
	}
	shfl.sync.idx.b32 %r329, %r325, %r7, 31, -1;
	add.s64 	%rd35, %rd43, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r332, %r226, %r212, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r357, %r233, %r219, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r361, %r341, %r226, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r365, %r345, %r233, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r369, %r322, %r341, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r352, %r329, %r345, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r356, %r357, %r332, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r378, %r361, %r357, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r382, %r365, %r361, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r386, %r369, %r365, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r372, %r352, %r369, p;
	}
	shf.r.wrap.b32 %r376, %r356, %r378, %r193;
	shf.r.wrap.b32 %r380, %r378, %r382, %r193;
	shf.r.wrap.b32 %r384, %r382, %r386, %r193;
	shf.r.wrap.b32 %r388, %r386, %r372, %r193;
	setp.lt.u32 	%p23, %r864, %r16;
	selp.u32 	%r396, 1, 0, %p23;
	{
	.reg .pred p;
	setp.ne.u32 p, %r396, 0;
	@p st.global.v4.u32 [%rd35], {%r376, %r380, %r384, %r388};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r397, %r398, %r305, p;
	}
	shfl.sync.idx.b32 %r434, %r397, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r404, %r405, %r312, p;
	}
	shfl.sync.idx.b32 %r438, %r404, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r411, %r412, %r319, p;
	}
	shfl.sync.idx.b32 %r415, %r411, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r418, %r419, %r326, p;
	}
	shfl.sync.idx.b32 %r422, %r418, %r7, 31, -1;
	add.s64 	%rd36, %rd44, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r425, %r319, %r305, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r450, %r326, %r312, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r454, %r434, %r319, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r458, %r438, %r326, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r462, %r415, %r434, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r445, %r422, %r438, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r449, %r450, %r425, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r471, %r454, %r450, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r475, %r458, %r454, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r479, %r462, %r458, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r465, %r445, %r462, p;
	}
	shf.r.wrap.b32 %r469, %r449, %r471, %r193;
	shf.r.wrap.b32 %r473, %r471, %r475, %r193;
	shf.r.wrap.b32 %r477, %r475, %r479, %r193;
	shf.r.wrap.b32 %r481, %r479, %r465, %r193;
	setp.lt.u32 	%p24, %r865, %r16;
	selp.u32 	%r489, 1, 0, %p24;
	{
	.reg .pred p;
	setp.ne.u32 p, %r489, 0;
	@p st.global.v4.u32 [%rd36], {%r469, %r473, %r477, %r481};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r490, %r491, %r398, p;
	}
	shfl.sync.idx.b32 %r527, %r490, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r497, %r498, %r405, p;
	}
	shfl.sync.idx.b32 %r531, %r497, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r504, %r505, %r412, p;
	}
	shfl.sync.idx.b32 %r508, %r504, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r511, %r512, %r419, p;
	}
	shfl.sync.idx.b32 %r515, %r511, %r7, 31, -1;
	add.s64 	%rd37, %rd45, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r518, %r412, %r398, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r543, %r419, %r405, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r547, %r527, %r412, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r551, %r531, %r419, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r555, %r508, %r527, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r538, %r515, %r531, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r542, %r543, %r518, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r564, %r547, %r543, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r568, %r551, %r547, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r572, %r555, %r551, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r558, %r538, %r555, p;
	}
	shf.r.wrap.b32 %r562, %r542, %r564, %r193;
	shf.r.wrap.b32 %r566, %r564, %r568, %r193;
	shf.r.wrap.b32 %r570, %r568, %r572, %r193;
	shf.r.wrap.b32 %r574, %r572, %r558, %r193;
	setp.lt.u32 	%p25, %r866, %r16;
	selp.u32 	%r582, 1, 0, %p25;
	{
	.reg .pred p;
	setp.ne.u32 p, %r582, 0;
	@p st.global.v4.u32 [%rd37], {%r562, %r566, %r570, %r574};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r583, %r584, %r491, p;
	}
	shfl.sync.idx.b32 %r620, %r583, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r590, %r591, %r498, p;
	}
	shfl.sync.idx.b32 %r624, %r590, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r597, %r598, %r505, p;
	}
	shfl.sync.idx.b32 %r601, %r597, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r604, %r605, %r512, p;
	}
	shfl.sync.idx.b32 %r608, %r604, %r7, 31, -1;
	add.s64 	%rd38, %rd46, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r611, %r505, %r491, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r636, %r512, %r498, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r640, %r620, %r505, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r644, %r624, %r512, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r648, %r601, %r620, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r631, %r608, %r624, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r635, %r636, %r611, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r657, %r640, %r636, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r661, %r644, %r640, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r665, %r648, %r644, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r651, %r631, %r648, p;
	}
	shf.r.wrap.b32 %r655, %r635, %r657, %r193;
	shf.r.wrap.b32 %r659, %r657, %r661, %r193;
	shf.r.wrap.b32 %r663, %r661, %r665, %r193;
	shf.r.wrap.b32 %r667, %r665, %r651, %r193;
	setp.lt.u32 	%p26, %r867, %r16;
	selp.u32 	%r675, 1, 0, %p26;
	{
	.reg .pred p;
	setp.ne.u32 p, %r675, 0;
	@p st.global.v4.u32 [%rd38], {%r655, %r659, %r663, %r667};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r676, %r677, %r584, p;
	}
	shfl.sync.idx.b32 %r713, %r676, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r683, %r684, %r591, p;
	}
	shfl.sync.idx.b32 %r717, %r683, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r690, %r691, %r598, p;
	}
	shfl.sync.idx.b32 %r694, %r690, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r697, %r698, %r605, p;
	}
	shfl.sync.idx.b32 %r701, %r697, %r7, 31, -1;
	add.s64 	%rd39, %rd47, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r704, %r598, %r584, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r729, %r605, %r591, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r733, %r713, %r598, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r737, %r717, %r605, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r741, %r694, %r713, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r724, %r701, %r717, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r728, %r729, %r704, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r750, %r733, %r729, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r754, %r737, %r733, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r758, %r741, %r737, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r744, %r724, %r741, p;
	}
	shf.r.wrap.b32 %r748, %r728, %r750, %r193;
	shf.r.wrap.b32 %r752, %r750, %r754, %r193;
	shf.r.wrap.b32 %r756, %r754, %r758, %r193;
	shf.r.wrap.b32 %r760, %r758, %r744, %r193;
	setp.lt.u32 	%p27, %r868, %r16;
	selp.u32 	%r768, 1, 0, %p27;
	{
	.reg .pred p;
	setp.ne.u32 p, %r768, 0;
	@p st.global.v4.u32 [%rd39], {%r748, %r752, %r756, %r760};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r769, %r113, %r677, p;
	}
	shfl.sync.idx.b32 %r806, %r769, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r776, %r114, %r684, p;
	}
	shfl.sync.idx.b32 %r810, %r776, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r783, %r115, %r691, p;
	}
	shfl.sync.idx.b32 %r787, %r783, %r7, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r6, 0;
	selp.b32 %r790, %r116, %r698, p;
	}
	shfl.sync.idx.b32 %r794, %r790, %r7, 31, -1;
	add.s64 	%rd40, %rd48, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r797, %r691, %r677, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r822, %r698, %r684, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r826, %r806, %r691, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r830, %r810, %r698, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r834, %r787, %r806, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r149, 0;
	selp.b32 %r817, %r794, %r810, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r821, %r822, %r797, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r843, %r826, %r822, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r847, %r830, %r826, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r851, %r834, %r830, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r173, 0;
	selp.b32 %r837, %r817, %r834, p;
	}
	shf.r.wrap.b32 %r841, %r821, %r843, %r193;
	shf.r.wrap.b32 %r845, %r843, %r847, %r193;
	shf.r.wrap.b32 %r849, %r847, %r851, %r193;
	shf.r.wrap.b32 %r853, %r851, %r837, %r193;
	setp.lt.u32 	%p28, %r869, %r16;
	selp.u32 	%r861, 1, 0, %p28;
	{
	.reg .pred p;
	setp.ne.u32 p, %r861, 0;
	@p st.global.v4.u32 [%rd40], {%r841, %r845, %r849, %r853};
	}
	add.s32 	%r971, %r971, 256;
	setp.lt.u32 	%p29, %r971, %r16;
	@%p29 bra 	LBB0_12;
	bra.uni 	LBB0_13;
LBB0_7:
	setp.eq.s32 	%p30, %r16, 0;
	@%p30 bra 	LBB0_13;
	mov.u32 	%r970, 0;
LBB0_9:
	or.b32  	%r952, %r970, %r2;
	mul.wide.u32 	%rd66, %r952, 16;
	add.s64 	%rd50, %rd66, %rd7;
	setp.lt.u32 	%p31, %r952, %r16;
	selp.u32 	%r876, 1, 0, %p31;
	{
	.reg .pred p;
	setp.ne.u32 p, %r876, 0;
	@p ld.global.v4.u32 {%r872, %r873, %r874, %r875}, [%rd50];
	}
	or.b32  	%r953, %r952, 32;
	mul.wide.u32 	%rd67, %r953, 16;
	add.s64 	%rd51, %rd67, %rd7;
	setp.lt.u32 	%p32, %r953, %r16;
	selp.u32 	%r881, 1, 0, %p32;
	{
	.reg .pred p;
	setp.ne.u32 p, %r881, 0;
	@p ld.global.v4.u32 {%r877, %r878, %r879, %r880}, [%rd51];
	}
	or.b32  	%r954, %r952, 64;
	mul.wide.u32 	%rd68, %r954, 16;
	add.s64 	%rd52, %rd68, %rd7;
	setp.lt.u32 	%p33, %r954, %r16;
	selp.u32 	%r886, 1, 0, %p33;
	{
	.reg .pred p;
	setp.ne.u32 p, %r886, 0;
	@p ld.global.v4.u32 {%r882, %r883, %r884, %r885}, [%rd52];
	}
	or.b32  	%r955, %r952, 96;
	mul.wide.u32 	%rd69, %r955, 16;
	add.s64 	%rd53, %rd69, %rd7;
	setp.lt.u32 	%p34, %r955, %r16;
	selp.u32 	%r891, 1, 0, %p34;
	{
	.reg .pred p;
	setp.ne.u32 p, %r891, 0;
	@p ld.global.v4.u32 {%r887, %r888, %r889, %r890}, [%rd53];
	}
	or.b32  	%r956, %r952, 128;
	mul.wide.u32 	%rd70, %r956, 16;
	add.s64 	%rd54, %rd70, %rd7;
	setp.lt.u32 	%p35, %r956, %r16;
	selp.u32 	%r896, 1, 0, %p35;
	{
	.reg .pred p;
	setp.ne.u32 p, %r896, 0;
	@p ld.global.v4.u32 {%r892, %r893, %r894, %r895}, [%rd54];
	}
	or.b32  	%r957, %r952, 160;
	mul.wide.u32 	%rd71, %r957, 16;
	add.s64 	%rd55, %rd71, %rd7;
	setp.lt.u32 	%p36, %r957, %r16;
	selp.u32 	%r901, 1, 0, %p36;
	{
	.reg .pred p;
	setp.ne.u32 p, %r901, 0;
	@p ld.global.v4.u32 {%r897, %r898, %r899, %r900}, [%rd55];
	}
	or.b32  	%r958, %r952, 192;
	mul.wide.u32 	%rd72, %r958, 16;
	add.s64 	%rd56, %rd72, %rd7;
	setp.lt.u32 	%p37, %r958, %r16;
	selp.u32 	%r906, 1, 0, %p37;
	{
	.reg .pred p;
	setp.ne.u32 p, %r906, 0;
	@p ld.global.v4.u32 {%r902, %r903, %r904, %r905}, [%rd56];
	}
	or.b32  	%r959, %r952, 224;
	mul.wide.u32 	%rd73, %r959, 16;
	add.s64 	%rd57, %rd73, %rd7;
	setp.lt.u32 	%p38, %r959, %r16;
	selp.u32 	%r911, 1, 0, %p38;
	{
	.reg .pred p;
	setp.ne.u32 p, %r911, 0;
	@p ld.global.v4.u32 {%r907, %r908, %r909, %r910}, [%rd57];
	}
	add.s64 	%rd58, %rd66, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r876, 0;
	@p st.global.v4.u32 [%rd58], {%r872, %r873, %r874, %r875};
	}
	add.s64 	%rd59, %rd67, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r881, 0;
	@p st.global.v4.u32 [%rd59], {%r877, %r878, %r879, %r880};
	}
	add.s64 	%rd60, %rd68, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r886, 0;
	@p st.global.v4.u32 [%rd60], {%r882, %r883, %r884, %r885};
	}
	add.s64 	%rd61, %rd69, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r891, 0;
	@p st.global.v4.u32 [%rd61], {%r887, %r888, %r889, %r890};
	}
	add.s64 	%rd62, %rd70, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r896, 0;
	@p st.global.v4.u32 [%rd62], {%r892, %r893, %r894, %r895};
	}
	add.s64 	%rd63, %rd71, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r901, 0;
	@p st.global.v4.u32 [%rd63], {%r897, %r898, %r899, %r900};
	}
	add.s64 	%rd64, %rd72, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r906, 0;
	@p st.global.v4.u32 [%rd64], {%r902, %r903, %r904, %r905};
	}
	add.s64 	%rd65, %rd73, %rd6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r911, 0;
	@p st.global.v4.u32 [%rd65], {%r907, %r908, %r909, %r910};
	}
	add.s32 	%r970, %r970, 256;
	setp.lt.u32 	%p39, %r970, %r16;
	@%p39 bra 	LBB0_9;
	bra.uni 	LBB0_13;
LBB0_15:
	ret;
}
)ptx";

}  // namespace hawser
