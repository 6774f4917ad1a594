// What a refusal means to its reader, in Chinese, by its code; English pages show the refusal's own words.
// A code without words here is told by its kind.
import type { AppError } from '../../platform/index.ts';

export const refusalsZh: Record<string, string> = {
  'api.body_too_large': '提交的内容太大。请减少内容后再试。',
  'api.method_not_allowed': '这个地址不能这样使用。请从页面上的链接或按钮进入。',
  'api.rate_limited': '操作过于频繁。请稍等一分钟再试。',
  'api.url_malformed': '网址不正确。请核对后重新输入。',
  'api.url_too_long': '网址太长。请缩短查询内容后再试。',
  'exchange.already_ended': '这次核查已经结束，不能再更改。',
  'exchange.consent_decided': '您已对这次核查作出决定。',
  'exchange.delay_not_allowed': '贵部门不在可延迟告知的名单内。',
  'exchange.identifier_in_text': '事由或案件编号中含有身份号码。请删去号码后重新提交。',
  'exchange.legal_basis_not_allowed': '协议中没有这条法律依据。请改选协议列明的依据。',
  'exchange.no_agreement': '贵部门与对方部门没有有效的协议，不能发起这项核查。',
  'exchange.params_invalid': '核查内容未填完整或不符合要求。',
  'exchange.probing': '三十天内对同一人、同一案件换用了过多的条件核查，已被停止并告警。',
  'exchange.purpose_not_allowed': '协议中没有这一办理事由。请改填协议列明的事由。',
  'exchange.quota': '贵部门今天的核查次数已用完。请明天再试，或商请对方部门调整额度。',
  'exchange.request_invalid': '有内容未填写或不符合要求。',
  'exchange.scope': '您没有发起这项核查的权限。',
  'exchange.subject_kind':
    '这项核查的对象类型与所填号码不符：个人填公民身份号码，单位填统一社会信用代码。',
  'identity.citizen_id_invalid': '公民身份号码不正确。请逐位核对。',
  'identity.erased': '这些信息已依法删除。',
  'identity.form_token_invalid': '页面停留太久，或不是从本站打开。请返回，刷新页面后重新提交。',
  'identity.role_missing': '您的岗位没有这项权限。',
  'identity.unauthenticated': '请先登录。',
  'identity.uscc_invalid': '统一社会信用代码不正确。请逐位核对。',
  'oversight.identifier_in_text': '检索理由、案件编号或核查事项中含有身份号码。请删去号码。',
  'oversight.reason_required': '按人检索必须说明理由。',
  'registry.compare_limit': '这张证照今天的核对次数已用完。请明天再试。',
  'registry.not_comparable': '这些内容不能核对。',
  'web.foreign_origin': '这个表单来自其他网站，已被拒绝。请在本站打开页面后重新填写。',
  'web.form_unreadable': '表单无法读取。请返回后重新提交。',
  'web.other_account_needed':
    '当前登录的账户不能使用这个页面：个人与企业请用“我的”，工作人员请用“部门窗口”。',
};

export const kindsZh: Record<AppError['kind'], string> = {
  malformed: '提交的内容无法读取。请返回后重新填写。',
  invalid: '有内容未填写或不符合要求。',
  unauthenticated: '请先登录。',
  forbidden: '您没有这项权限。',
  not_found: '没有这个页面，或者您无权查看。',
  gone: '这些内容已不存在。',
  conflict: '情况已有变化，这一操作现在不能进行。请刷新页面查看。',
  precondition_failed: '内容已被他人修改。请刷新页面后重新操作。',
  rate_limited: '操作过于频繁。请稍后再试。',
  unavailable: '服务暂时不可用。请稍后再试。',
  too_large: '提交的内容太大。请减少内容后再试。',
  url_too_long: '网址太长。请缩短查询内容后再试。',
  unsupported_type: '不支持这种文件或格式。',
  method_not_allowed: '这个地址不能这样使用。请从页面上的链接或按钮进入。',
};
